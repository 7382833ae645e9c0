import type { Channel, Message } from "amqplib";
import { codeOf } from "../client/errors.ts";

/** Names the consumer on its channel, so that it can be cancelled before the broker has answered. */
const CONSUMER_TAG = "waiting";

/**
 * Takes the message of a queue that is to have one, and holds it until the channel is closed. While somebody else holds it
 * this waits in the broker's line.
 *
 * Resolves to several if a crash has left them, to none if it could not be had in time, and to `undefined` if there is no
 * such queue.
 */
export async function takeMessages(
  channel: Channel,
  queue: string,
  maxWait: number,
): Promise<readonly Message[] | undefined> {
  try {
    const message = await channel.get(queue);
    if (message !== false) return [message, ...(await getMore(channel, queue, message.fields.messageCount))];
    const waited = await waitForMessage(channel, queue, maxWait);
    return waited === undefined ? [] : [waited];
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    throw error;
  }
}

async function getMore(channel: Channel, queue: string, count: number): Promise<readonly Message[]> {
  const messages = await Promise.all(Array.from({ length: count }, () => channel.get(queue)));
  return messages.filter((message) => message !== false);
}

async function waitForMessage(channel: Channel, queue: string, maxWait: number): Promise<Message | undefined> {
  await channel.prefetch(1);
  let timer: NodeJS.Timeout | undefined;
  const waiting = new Promise<Message | undefined>((resolve, reject) => {
    timer = setTimeout(() => resolve(undefined), maxWait);
    channel.once("close", () => reject(new Error("the channel was closed")));
    const onMessage = (message: Message | null) => {
      if (message === null) reject(new Error(`the queue "${queue}" was deleted`));
      else resolve(message);
    };
    channel.consume(queue, onMessage, { consumerTag: CONSUMER_TAG }).catch(reject);
  });
  try {
    return await waiting;
  } finally {
    clearTimeout(timer);
    // It would take the message that replaces this one.
    channel.cancel(CONSUMER_TAG).catch(() => {});
  }
}
