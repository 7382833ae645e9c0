import { randomUUID } from "node:crypto";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { removeUseCase as script } from "../scripts/remove-use-case.ts";
import type { Keys } from "../wire/keys.ts";

/**
 * Removes a use case with all that waits for it, and its dead letters where `deadLetters` says so (R9). Instances that run
 * it are told, and no later publish makes anything of it anew; an app that starts with it later does.
 *
 * @returns whether there was such a use case
 */
export async function removeUseCase(
  useCase: string,
  { deadLetters }: { readonly deadLetters: "keep" | "purge" },
  keys: Keys,
  connection: ReconnectingConnection,
): Promise<boolean> {
  const { version, bindings, declarations, removed, useCases, paused } = keys;
  const { queue, leases, due, waiting, trials, dead, deadOrder } = keys.forUseCase(useCase);
  const namespace = [version, bindings, declarations, removed, useCases, paused];
  const all = [...namespace, queue, leases, due, waiting, trials, dead, deadOrder];
  return (await connection.withPapaErrors(connection.run(script, all, [randomUUID(), useCase, deadLetters]))) === 1;
}
