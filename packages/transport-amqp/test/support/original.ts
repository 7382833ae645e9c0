import type { Channel } from "amqplib";
import type { Space } from "./broker.ts";

/** Declares the queues as papa-events 0.106.0 for Python does. */
export async function declareAsOriginal(
  channel: Channel,
  space: Space,
  useCase: string,
  pattern: string,
  ttl = 10_000,
) {
  const name = (each: string) => space.name(each);
  const queue = name(useCase);
  const quorum = { "x-queue-type": "quorum" };
  await channel.assertExchange(name("domain_events"), "topic", { durable: true });
  await channel.assertExchange(name("domain_events.retry"), "direct", { durable: true });
  await channel.assertExchange(name("domain_events.dlq"), "direct", { durable: true });
  await channel.assertQueue(queue, {
    arguments: {
      ...quorum,
      "x-dead-letter-exchange": name("domain_events.retry"),
      "x-dead-letter-routing-key": queue,
    },
  });
  await channel.assertQueue(`${queue}.retry`, {
    arguments: {
      ...quorum,
      "x-message-ttl": ttl,
      "x-dead-letter-exchange": name("domain_events"),
      "x-dead-letter-routing-key": queue,
    },
  });
  await channel.assertQueue(`${queue}.dlq`, { arguments: quorum });
  await channel.bindQueue(queue, name("domain_events"), pattern);
  await channel.bindQueue(queue, name("domain_events"), queue);
  await channel.bindQueue(`${queue}.retry`, name("domain_events.retry"), queue);
  await channel.bindQueue(`${queue}.dlq`, name("domain_events.dlq"), queue);
}

/** Encodes a payload as the body of a message. */
export const json = (payload: unknown) => Buffer.from(JSON.stringify(payload));
/** Message properties as the original's client library sets them. */
export const asOriginal = { messageId: "0123456789abcdef0123456789abcdef", deliveryMode: 1, priority: 0, headers: {} };
