import type { Channel } from "amqplib";
import { sleep } from "./sleep.ts";

/** A quorum queue's log takes a few milliseconds for each command that is ahead. */
const PAUSE_MS = 25;

/**
 * Waits until the acknowledgements sent on a channel have reached the queue, so that the channel can be closed. A close
 * overtakes what the client buffers: 966 of 1,000 came back without a call in between. One answered call is not enough
 * either. The broker sends a quorum queue no more than 32 commands at a time and keeps the rest in the channel, where a
 * close drops them. A moment later it has sent them as one.
 */
export async function flushAcknowledgements(channel: Channel, queue: string): Promise<void> {
  await channel.checkQueue(queue);
  await sleep(PAUSE_MS);
  await channel.checkQueue(queue);
}
