import type { Channel } from "amqplib";
import { sleep } from "./sleep.ts";

/** A quorum queue's log takes a few milliseconds for each command that is ahead, and more on a busy broker. */
const MIN_PAUSE_MS = 25;
const MAX_PAUSE_MS = 250;
/** How much longer than one answer it may take. */
const PAUSE_PER_ANSWER = 5;

/**
 * Waits until the acknowledgements sent on a channel have reached the queue, so that the channel can be closed. A close
 * overtakes what the client buffers: 966 of 1,000 came back without a call in between. One answered call is not enough
 * either. The broker sends a quorum queue no more than 32 commands at a time and keeps the rest in the channel, where a
 * close drops them. A moment later it has sent them as one.
 */
export async function flushAcknowledgements(channel: Channel, queue: string): Promise<void> {
  const begun = performance.now();
  await channel.checkQueue(queue);
  const answer = performance.now() - begun;
  await sleep(Math.min(Math.max(MIN_PAUSE_MS, answer * PAUSE_PER_ANSWER), MAX_PAUSE_MS));
  await channel.checkQueue(queue);
}
