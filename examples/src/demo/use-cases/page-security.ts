import { exponential, type UseCase, useCase } from "@papa-events/core";
import { z } from "zod";
import type { Pager } from "../pager.ts";

const AlertDelivery = z.object({
  action: z.string(),
  alert: z.object({ html_url: z.string().default("(no address)") }),
  repository: z.object({ full_name: z.string() }),
});

/** Wakes somebody up at every security alert. While the pager is broken, its events end as dead letters. */
export function pageSecurity(pager: Pager): UseCase {
  return useCase(
    "page_security",
    {
      on: ["github.code_scanning_alert.*", "github.dependabot_alert.*", "github.repository_vulnerability_alert.*"],
      schema: AlertDelivery,
      retries: 2,
      retryDelay: exponential({ first: "200ms", factor: 2, max: "1s" }),
      timeout: "5s",
    },
    async ({ action, alert, repository }, { id, signal }) => {
      const message = `${repository.full_name}: security alert ${action}, ${alert.html_url}`;
      // The id is the same on every attempt: with it, a pager that got the message already can tell.
      await pager.page({ key: id, message }, signal);
    },
  );
}
