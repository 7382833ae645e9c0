import type { Channels } from "../client/channels.ts";
import { codeOf } from "../client/errors.ts";
import { sleep } from "../client/sleep.ts";
import type { AmqpTrials } from "../consuming/trials.ts";
import type { Registry } from "../declarations/registry.ts";
import type { Topology } from "../declarations/topology.ts";
import {
  deadLetterQueue,
  delayQueue,
  earlierRegistryQueue,
  type Names,
  recentQueue,
  retryQueue,
} from "../wire/names.ts";
import type { AmqpPauses } from "./pauses.ts";

/** What an instance was about to declare or store when the use case was removed is made by then. */
const AFTERMATH_MS = 500;

export interface RemovalOptions {
  readonly names: Names;
  readonly channels: Channels;
  readonly registry: Registry;
  readonly trials: AmqpTrials;
  readonly pauses: AmqpPauses;
  readonly topology: Topology;
}

/**
 * Removes a use case (R9). The removal is recorded first, so that no instance declares anew what is deleted then; what one
 * was about to make meanwhile is deleted a moment later. The bindings go with their queues.
 */
export async function removeUseCase(
  useCase: string,
  deadLetters: "keep" | "purge",
  { names, channels, registry, trials, pauses, topology }: RemovalOptions,
): Promise<boolean> {
  const queue = names.queue(useCase);
  const keeps = deadLetters === "keep" && ((await channels.queueSize(deadLetterQueue(queue))) ?? 0) > 0;
  const { known, delays } = await registry.remove(useCase, keeps);
  const queues = [
    queue,
    ...delays.map((delay) => delayQueue(queue, delay)),
    retryQueue(queue),
    earlierRegistryQueue(queue),
    ...(keeps ? [] : [recentQueue(queue)]),
    // Last: what could not be routed there would be lost.
    ...(keeps ? [] : [deadLetterQueue(queue)]),
  ];
  const found = await deleteAll(channels, queues);
  if (!known && !found) return false;
  await pauses.set(useCase, false);
  await trials.forget(useCase);
  await topology.forgetReturns(useCase);
  await sleep(AFTERMATH_MS);
  await deleteAll(channels, queues);
  return true;
}

/** Resolves to whether there was any. */
async function deleteAll(channels: Channels, queues: readonly string[]): Promise<boolean> {
  let found = false;
  for (const queue of queues) {
    // Deleting what is not there is no error.
    if (!(await channels.queueExists(queue))) continue;
    found = true;
    await channels.withChannel(async (channel) => {
      await channel.deleteQueue(queue).catch((error: unknown) => {
        if (codeOf(error) !== 404) throw error;
      });
    });
  }
  return found;
}
