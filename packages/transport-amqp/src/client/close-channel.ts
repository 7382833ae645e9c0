import type { Channel } from "amqplib";

/**
 * Closes a channel, whatever state it is in; never rejects. amqplib's own promise never settles if the connection is
 * lost before the broker answers.
 */
export function closeChannel(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    channel.once("close", resolve);
    try {
      channel.close().then(resolve, () => resolve());
    } catch {
      resolve();
    }
  });
}
