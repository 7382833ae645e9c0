import { type UseCase, useCase } from "@papa-events/core";
import { z } from "zod";

const PullRequestDelivery = z.object({
  pull_request: z.object({ number: z.number().int(), title: z.string() }),
  repository: z.object({ full_name: z.string() }),
});

/** Keeps a mirror up to date that answers nothing at first: what throws is tried again, a little later. */
export function mirrorPullRequests(mirror: Map<string, string>): UseCase {
  return useCase(
    "mirror_pull_requests",
    { on: "github.pull_request.*", schema: PullRequestDelivery, retryDelay: "400ms" },
    async ({ pull_request, repository }, { attempt }) => {
      if (attempt === 1) throw new Error("503 Service Unavailable: the mirror is waking up");
      mirror.set(`${repository.full_name}#${pull_request.number}`, pull_request.title);
    },
  );
}
