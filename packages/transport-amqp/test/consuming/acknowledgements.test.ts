import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { Acknowledgements, type Delivered } from "../../src/consuming/acknowledgements.ts";

/** A channel as the broker keeps it: it knows what is open and refuses what is not. */
class BrokerChannel {
  /** By their tags; acknowledged by the very message, as tracing tells them. */
  readonly open = new Map<number, Delivered>();
  readonly acked: number[] = [];
  readonly returned: number[] = [];
  commands = 0;

  deliver(tag: number): Delivered {
    const message = { fields: { deliveryTag: tag } };
    this.open.set(tag, message);
    return message;
  }

  ack(message: Delivered, allUpTo = false): void {
    this.#settle(message, allUpTo, this.acked);
  }

  nack(message: Delivered, allUpTo = false): void {
    this.#settle(message, allUpTo, this.returned);
  }

  #settle(message: Delivered, allUpTo: boolean, into: number[]): void {
    this.commands += 1;
    const tag = message.fields.deliveryTag;
    if (this.open.get(tag) !== message) throw new Error(`unknown message with delivery tag ${tag}`);
    for (const each of [...this.open.keys()]) {
      if (each !== tag && !(allUpTo && each < tag)) continue;
      this.open.delete(each);
      into.push(each);
    }
  }
}

test("H1 exactly what is settled is acknowledged, in whatever order it is settled", async () => {
  vi.useFakeTimers();
  try {
    const step = fc.record({
      pick: fc.nat(),
      kind: fc.constantFrom("ack", "ack", "ack", "requeue", "turn", "wait", "hold", "resume"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 120 }),
        fc.integer({ min: 0, max: 100 }),
        async (steps, prefetch) => {
          const channel = new BrokerChannel();
          const acks = new Acknowledgements(channel);
          acks.prefetch = prefetch;
          const out: Delivered[] = [];
          const settled: number[] = [];
          let tag = 0;
          let held = false;
          let commands = 0;
          for (const { pick, kind } of steps) {
            while (out.length < 10) {
              tag += 1;
              out.push(channel.deliver(tag));
            }
            if (kind === "turn" || kind === "wait") {
              await vi.advanceTimersByTimeAsync(kind === "turn" ? 0 : 10);
              continue;
            }
            if (kind === "hold" || kind === "resume") {
              acks[kind]();
              held = kind === "hold";
              commands = channel.acked.length;
              continue;
            }
            const [chosen] = out.splice(pick % out.length, 1) as [Delivered];
            if (kind === "ack") {
              acks.ack(chosen);
              settled.push(chosen.fields.deliveryTag);
            } else {
              acks.requeue(chosen);
            }
            expect(channel.acked.every((each) => settled.includes(each))).toBe(true);
            if (held) expect(channel.acked).toHaveLength(commands);
          }
          acks.resume();
          expect([...channel.acked].sort((a, b) => a - b)).toEqual([...settled].sort((a, b) => a - b));
          expect(new Set(channel.open.values())).toEqual(new Set(out));
          acks.drop();
        },
      ),
      { numRuns: 300 },
    );
  } finally {
    vi.useRealTimers();
  }
});

test("many settlements of one turn are one command", async () => {
  const channel = new BrokerChannel();
  const acks = new Acknowledgements(channel);
  acks.prefetch = 1_000;
  const messages = Array.from({ length: 500 }, (_, n) => channel.deliver(n + 1));
  for (const message of messages.toReversed()) acks.ack(message);
  await new Promise((resolve) => setImmediate(resolve));
  expect(channel.commands).toBe(1);
  expect(channel.open.size).toBe(0);
});

test("L3 nothing is acknowledged once the channel is gone", async () => {
  const channel = new BrokerChannel();
  const acks = new Acknowledgements(channel);
  acks.ack(channel.deliver(1));
  acks.drop();
  acks.ack(channel.deliver(2));
  acks.flush();
  await new Promise((resolve) => setImmediate(resolve));
  expect(channel.commands).toBe(0);
});
