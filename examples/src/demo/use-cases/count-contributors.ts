import { type UseCase, useCase } from "@papa-events/core";
import { z } from "zod";

/** What we believed of all webhooks; security advisories have no sender. */
const AnyDelivery = z.object({ sender: z.object({ login: z.string() }) });

/** Counts who does how much. What its schema refuses becomes a dead letter, with the reason, and no handler is called. */
export function countContributors(deliveriesOf: Map<string, number>): UseCase {
  return useCase("count_contributors", { on: "github.#", schema: AnyDelivery }, ({ sender }) => {
    deliveriesOf.set(sender.login, (deliveriesOf.get(sender.login) ?? 0) + 1);
  });
}
