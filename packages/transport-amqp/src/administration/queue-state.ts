import type { Channels } from "../client/channels.ts";
import { codeOf } from "../client/errors.ts";

/** What AMQP tells of a queue. */
export interface QueueState {
  readonly ready: number;
  readonly consumers: number;
}

/** Looks at a queue; `undefined` if there is none. @throws PapaError */
export function queueState(channels: Channels, queue: string): Promise<QueueState | undefined> {
  return channels.withChannel(async (channel) => {
    try {
      const { messageCount, consumerCount } = await channel.checkQueue(queue);
      return { ready: messageCount, consumers: consumerCount };
    } catch (error) {
      if (codeOf(error) === 404) return undefined;
      throw error;
    }
  });
}
