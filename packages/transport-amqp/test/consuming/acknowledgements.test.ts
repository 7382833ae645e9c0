import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { Acknowledgements } from "../../src/consuming/acknowledgements.ts";

/** A channel as the broker keeps it: it knows what is open and refuses what is not. */
class BrokerChannel {
  readonly open = new Set<number>();
  readonly acked: number[] = [];
  readonly returned: number[] = [];
  commands = 0;

  ack({ fields: { deliveryTag } }: { fields: { deliveryTag: number } }, allUpTo = false): void {
    this.#settle(deliveryTag, allUpTo, this.acked);
  }

  nack({ fields: { deliveryTag } }: { fields: { deliveryTag: number } }, allUpTo = false): void {
    this.#settle(deliveryTag, allUpTo, this.returned);
  }

  #settle(tag: number, allUpTo: boolean, into: number[]): void {
    this.commands += 1;
    if (!this.open.has(tag)) throw new Error(`unknown delivery tag ${tag}`);
    for (const each of [...this.open]) {
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
          const out: number[] = [];
          const settled: number[] = [];
          let tag = 0;
          let held = false;
          let commands = 0;
          for (const { pick, kind } of steps) {
            while (out.length < 10) {
              tag += 1;
              out.push(tag);
              channel.open.add(tag);
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
            const [chosen = 0] = out.splice(pick % out.length, 1);
            if (kind === "ack") {
              acks.ack(chosen);
              settled.push(chosen);
            } else {
              acks.requeue(chosen);
            }
            expect(channel.acked.every((each) => settled.includes(each))).toBe(true);
            if (held) expect(channel.acked).toHaveLength(commands);
          }
          acks.resume();
          expect([...channel.acked].sort((a, b) => a - b)).toEqual([...settled].sort((a, b) => a - b));
          expect([...channel.open].sort((a, b) => a - b)).toEqual(out.sort((a, b) => a - b));
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
  for (let tag = 1; tag <= 500; tag += 1) channel.open.add(tag);
  for (let tag = 500; tag >= 1; tag -= 1) acks.ack(tag);
  await new Promise((resolve) => setImmediate(resolve));
  expect(channel.commands).toBe(1);
  expect(channel.open.size).toBe(0);
});

test("L3 nothing is acknowledged once the channel is gone", async () => {
  const channel = new BrokerChannel();
  const acks = new Acknowledgements(channel);
  channel.open.add(1);
  acks.ack(1);
  acks.drop();
  acks.ack(2);
  acks.flush();
  await new Promise((resolve) => setImmediate(resolve));
  expect(channel.commands).toBe(0);
});
