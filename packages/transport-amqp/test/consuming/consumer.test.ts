import { EventEmitter } from "node:events";
import type { Delivery } from "@papa-events/core/transport";
import type { Channel, ConsumeMessage } from "amqplib";
import { expect, test } from "vitest";
import { Consumer } from "../../src/consuming/consumer.ts";
import { OwnLosses } from "../../src/consuming/own-losses.ts";
import type { Settlements } from "../../src/consuming/settlements.ts";

/** A channel whose broker is a test. */
class FakeChannel extends EventEmitter {
  readonly calls: string[] = [];
  #onMessage: (message: ConsumeMessage | null) => void = () => {};

  async prefetch(): Promise<void> {}

  async consume(_: string, onMessage: (message: ConsumeMessage | null) => void) {
    this.#onMessage = onMessage;
    return { consumerTag: "tag" };
  }

  ack({ fields }: ConsumeMessage): void {
    this.calls.push(`ack ${fields.deliveryTag}`);
  }

  nack({ fields }: ConsumeMessage): void {
    this.calls.push(`nack ${fields.deliveryTag}`);
  }

  async close(): Promise<void> {
    this.calls.push("close");
    this.emit("close");
  }

  deliver(deliveryTag: number): void {
    const fields = { deliveryTag, redelivered: false, exchange: "domain_events", routingKey: "x", consumerTag: "tag" };
    const message = { fields, properties: { headers: {}, messageId: `m${deliveryTag}` }, content: Buffer.from("1") };
    this.#onMessage(message as unknown as ConsumeMessage);
  }

  /** As the broker does when the queue is deleted, or from 4.3 on at a consumer timeout: the channel stays open. */
  cancelConsumer(): void {
    this.#onMessage(null);
  }
}

test("L3, T6 when the broker cancels a consumer its channel is closed with nothing acknowledged, and handlers are told why", async () => {
  const channel = new FakeChannel();
  const losses = new OwnLosses();
  const deliveries: Delivery[] = [];
  const ends: string[] = [];
  const consumer = new Consumer(channel as unknown as Channel, {
    useCase: "uc",
    origin: { queue: "uc", fallbackName: "uc", widened: false, majorVersion: 4 },
    settlements: {} as Settlements,
    losses,
    onDelivery: (delivery) => deliveries.push(delivery),
    accepts: async () => true,
    onEnd: (reason) => ends.push(reason),
  });
  await consumer.consume(5);
  for (const tag of [1, 2, 3]) channel.deliver(tag);
  const reasons: string[] = [];
  for (const delivery of deliveries) delivery.onLost?.((why) => reasons.push(why));
  const done = { kind: "done", outputs: [] } as const;
  // Settled, and not acknowledged yet.
  expect(await deliveries[0]?.settle(done)).toBe("stored");
  channel.cancelConsumer();
  expect(ends).toEqual([expect.stringContaining("the broker cancelled it")]);
  expect(reasons).toEqual([ends[0], ends[0]]);
  // On 4.3 a late acknowledgement would take the cancelled consumer up again.
  expect(await deliveries[1]?.settle(done)).toBe("lost");
  expect(await deliveries[2]?.settle({ kind: "release" })).toBe("lost");
  channel.deliver(4);
  await consumer.close();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(channel.calls).toEqual(["close"]);
  expect(deliveries).toHaveLength(3);
  // What comes back because of that is no suspect.
  expect(losses.count).toBe(1);
});
