import { EventEmitter } from "node:events";
import type { EncodedEvent } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { connectionLostError } from "../../src/client/errors.ts";
import type { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { Publisher } from "../../src/publishing/publisher.ts";
import type { QueuePublisher } from "../../src/publishing/queue-publisher.ts";

type Confirm = (error: Error | null) => void;

/** A channel that confirms when it is told to. */
class FakeChannel extends EventEmitter {
  #unconfirmed: Confirm[] = [];

  get sent(): number {
    return this.#unconfirmed.length;
  }

  publish(_exchange: string, _key: string, _body: Buffer, _properties: object, confirm: Confirm): void {
    this.#unconfirmed.push(confirm);
  }

  confirm(): void {
    for (const confirm of this.#unconfirmed.splice(0)) confirm(null);
  }

  /** As amqplib does, with what the broker says. */
  end(code?: number, text = "closed by the broker"): void {
    if (code !== undefined) this.emit("error", Object.assign(new Error(text), { code }));
    for (const confirm of this.#unconfirmed.splice(0)) confirm(new Error("channel closed"));
    this.emit("close");
  }
}

const event: EncodedEvent = { name: "x", id: "1", time: 0, headers: {}, body: Buffer.from("1") };

/** A publisher that has two channels, each with one event on its way, and an exchange of which a test says how it is. */
async function publishing() {
  const channels: FakeChannel[] = [];
  const connection = {
    address: "amqp://h",
    blocked: undefined,
    confirmChannel: async () => {
      const channel = new FakeChannel();
      channels.push(channel);
      return channel;
    },
    lost: (cause: unknown) => connectionLostError("amqp://h", cause),
  };
  const state = { whole: undefined as Promise<void> | undefined, found: 0, ensured: 0 };
  const publisher = new Publisher(connection as unknown as ReconnectingConnection, {
    exchange: {
      name: "events",
      ensure: async () => {
        state.ensured += 1;
        await state.whole;
      },
      whole: () => state.whole,
      isMissing: () => {
        state.found += 1;
      },
    },
    cloudEvents: false,
    queuePublisher: {} as QueuePublisher,
    queuesFor: async () => [],
  });
  const underway = [publisher.publish([event])];
  await expect.poll(() => channels[0]?.sent).toBe(1);
  // It has the second opened.
  underway.push(publisher.publish([event]));
  await expect.poll(() => channels.length).toBe(2);
  const [first, second] = channels;
  if (first === undefined || second === undefined) throw new Error("there are two");
  underway.push(publisher.publish([event]));
  await expect.poll(() => [first.sent, second.sent]).toEqual([2, 1]);
  return { publisher, channels, first, second, underway, state };
}

test("L8 when the exchange is missing on one channel, nothing goes out on the other before it is whole", async () => {
  const { publisher, channels, first, second, underway, state } = await publishing();
  second.confirm();
  expect(await underway[2]).toEqual([]);
  const remade = Promise.withResolvers<void>();
  state.whole = remade.promise;
  first.end(404);
  expect(state.found).toBe(1);
  expect(await underway[0]).toMatchObject([{ index: 0, error: { code: "connection-failed", retryable: true } }]);
  const later = [publisher.publish([event]), publisher.publish([event]), publisher.publish([event])];
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([second.sent, channels.length]).toEqual([0, 2]);
  state.whole = undefined;
  remade.resolve();
  await expect.poll(() => channels.reduce((sum, { sent }) => sum + sent, 0)).toBe(3);
  for (const channel of channels) channel.confirm();
  expect(await Promise.all(later)).toEqual([[], [], []]);
});

test("P1, L2 what is under way when both channels end is reported as not stored, and one channel serves who comes next", async () => {
  const { publisher, channels, first, second, underway } = await publishing();
  second.end();
  first.end();
  const lost = [{ index: 0, error: { code: "connection-failed", retryable: true } }];
  expect(await Promise.all(underway)).toMatchObject([lost, lost, lost]);
  const next = publisher.publish([event]);
  await expect.poll(() => channels[2]?.sent).toBe(1);
  channels[2]?.confirm();
  expect(await next).toEqual([]);
  expect(channels).toHaveLength(3);
});

test("H8 an event whose routing key an account may not write to is refused, and what was on its way beside it is not", async () => {
  const { publisher, second, underway } = await publishing();
  const refused = publisher.publish([{ ...event, name: "secret" }]);
  await expect.poll(() => second.sent).toBe(2);
  second.end(403, "ACCESS_REFUSED - write access to topic 'secret' in exchange 'events' refused for user 'u'");
  expect(await refused).toMatchObject([{ error: { code: "access-refused", retryable: false } }]);
  expect(await underway[2]).toMatchObject([{ error: { code: "connection-failed", retryable: true } }]);
});
