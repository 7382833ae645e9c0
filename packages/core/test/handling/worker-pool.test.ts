import { describe, expect, it, test, vi } from "vitest";
import { useCase } from "../../src/index.ts";
import type { OnDelivery, Transport } from "../../src/transport.ts";
import { FakeTransport, started, turns } from "../support.ts";
import { TestDelivery } from "./support.ts";

/** A broker that notes how it is subscribed to, and hands its deliveries over by itself. */
function subscribed() {
  const fake = new FakeTransport();
  const asked: unknown[] = [];
  let deliver: OnDelivery = () => {};
  let early: readonly TestDelivery[] = [];
  const transport: Transport = {
    name: "fake",
    connect: async (options) => ({
      ...(await fake.connect(options)),
      subscribe: async (useCaseName, { readAhead, declaration }, onDelivery) => {
        asked.push([useCaseName, readAhead, declaration.length]);
        deliver = onDelivery;
        for (const delivery of early) onDelivery(delivery);
        return { readAhead: (limit) => void asked.push(limit), stop: async () => {} };
      },
    }),
  };
  return {
    transport,
    asked,
    deliver: (delivery: TestDelivery) => deliver(delivery),
    handsOverAtOnce: (deliveries: readonly TestDelivery[]) => {
      early = deliveries;
    },
  };
}

describe("H2 at most `concurrency` handler calls run", () => {
  it.each([1, 3])("of a use case with concurrency %d, and the next begins when one ends", async (concurrency) => {
    const { transport, deliver } = subscribed();
    const ends: (() => void)[] = [];
    const begun: string[] = [];
    const log = useCase("log", { on: "#", concurrency }, async (_, { id }) => {
      begun.push(id);
      await new Promise<void>((resolve) => ends.push(resolve));
    });
    await started(transport, [log]);
    for (let index = 0; index < 10; index += 1) deliver(new TestDelivery({ id: `${index}` }));
    for (let ended = 0; ended < 10; ended += 1) {
      await turns();
      expect(begun.length).toBe(Math.min(10, concurrency + ended));
      ends[ended]?.();
    }
    // In the order in which they came.
    expect(begun).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`));
    await turns();
  });

  it("and as many begin as may, also behind quick ones, for which few workers are enough", async () => {
    const { transport, deliver } = subscribed();
    let running = 0;
    let most = 0;
    let begun = 0;
    const ends: (() => void)[] = [];
    const log = useCase("log", { on: "#", concurrency: 100 }, async (_, { id }) => {
      begun += 1;
      running += 1;
      most = Math.max(most, running);
      await (id === "quick" ? undefined : new Promise<void>((resolve) => ends.push(resolve)));
      running -= 1;
    });
    await started(transport, [log]);
    for (let index = 0; index < 200; index += 1) deliver(new TestDelivery({ id: "quick" }));
    await turns(1);
    expect(begun).toBe(200);
    expect(most).toBeLessThan(50);
    for (let index = 0; index < 200; index += 1) deliver(new TestDelivery({ id: index % 2 === 0 ? "quick" : "slow" }));
    await turns(1);
    expect(begun).toBe(400);
    expect(running).toBe(100);
    for (const end of ends) end();
    await turns();
  });

  it("a transport that delivers before subscribe() has resolved is served too", async () => {
    const { transport, handsOverAtOnce } = subscribed();
    const deliveries = [new TestDelivery({ id: "1" }), new TestDelivery({ id: "2" })];
    handsOverAtOnce(deliveries);
    const seen: string[] = [];
    await started(transport, [useCase("log", { on: "#" }, (_, { id }) => void seen.push(id))]);
    await turns();
    expect(seen).toEqual(["1", "2"]);
    expect(deliveries.map(({ kinds }) => kinds)).toEqual([["done"], ["done"]]);
  });

  it("no handler begins in the transport's stack", async () => {
    const { transport, deliver } = subscribed();
    let begun = false;
    await started(transport, [useCase("log", { on: "#" }, () => void (begun = true))]);
    deliver(new TestDelivery());
    expect(begun).toBe(false);
    await turns(1);
    expect(begun).toBe(true);
  });
});

describe("H9 what is read ahead", () => {
  it("is twice the concurrency at first, under the id of the declaration", async () => {
    const { transport, asked } = subscribed();
    await started(transport, [useCase("log", { on: "#", concurrency: 7 }, () => {})]);
    expect(asked).toEqual([["log", 14, 16]]);
  });

  it("is told to the transport when it changes, once large events come", async () => {
    const { transport, asked, deliver } = subscribed();
    await started(transport, [useCase("log", { on: "#", concurrency: 7 }, () => {})], { maxHeldBytes: 100_000 });
    deliver(new TestDelivery({ body: Buffer.from(JSON.stringify("x".repeat(9_998))) }));
    await turns();
    expect(asked.slice(1)).toEqual([5]);
  });

  it("is told also where large events come before the subscription is made", async () => {
    const { transport, asked, handsOverAtOnce } = subscribed();
    handsOverAtOnce([new TestDelivery({ body: Buffer.from(JSON.stringify("x".repeat(9_998))) })]);
    await started(transport, [useCase("log", { on: "#", concurrency: 7 }, () => {})], { maxHeldBytes: 100_000 });
    await turns();
    expect(asked.slice(1)).toEqual([5]);
  });

  it("grows while handlers are quick", async () => {
    const { transport, asked, deliver } = subscribed();
    await started(transport, [useCase("log", { on: "#", concurrency: 5 }, () => {})]);
    await vi.waitFor(
      async () => {
        for (let index = 0; index < 500; index += 1) deliver(new TestDelivery({ id: `${index}` }));
        await turns();
        expect(asked.length).toBeGreaterThan(1);
      },
      { timeout: 20_000 },
    );
    expect(asked.at(-1)).toBeGreaterThan(10);
  });
});

test("H9 headers count for what is read ahead, where the transport tells how large they are", async () => {
  const { transport, asked, deliver } = subscribed();
  await started(transport, [useCase("log", { on: "#", concurrency: 100 }, () => {})], { maxHeldBytes: 8_000_000 });
  const delivery = new TestDelivery({ name: "a", id: "1" });
  Object.assign(delivery.event, { headerBytes: 399_998 });
  deliver(delivery);
  await turns();
  expect(asked.at(-1)).toBe(10);
});
