import type { Channel } from "amqplib";
import { sleep } from "./time-limit.ts";

/** A quorum queue's log takes a few milliseconds for each of the commands before. */
const PAUSE = 25;

/**
 * Waits until the acknowledgements sent on a channel are with the queue, so that the channel can be closed. A close
 * overtakes what the client buffers, and one answered call does not (966 of 1,000 came back without one). The broker
 * itself sends a quorum queue no more than 32 commands at a time and keeps the rest in the channel, where a close drops
 * them; a moment later it has sent them as one.
 */
export async function settleDown(channel: Channel, queue: string): Promise<void> {
  await channel.checkQueue(queue);
  await sleep(PAUSE);
  await channel.checkQueue(queue);
}
