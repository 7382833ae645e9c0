import type {
  Connection,
  ConnectOptions,
  Declaration,
  DeclarationRecord,
  Delivery,
  EncodedEvent,
  Settlement,
  Subscription,
} from "@papa-events/core/transport";
import { describe, expect, it } from "vitest";
import { type MemoryTransport, memory, virtualClock } from "../src/index.ts";
import { silent } from "./support.ts";

const event = (id: string, name = "a"): EncodedEvent => ({ name, id, time: 0, headers: {}, body: Buffer.from(id) });
const turns = async (count = 3) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
const idsOf = (deliveries: readonly Delivery[]) => deliveries.map(({ event: { id } }) => id);

interface Consumer {
  readonly connection: Connection;
  readonly subscription: Subscription;
  readonly deliveries: Delivery[];
}

const OPTIONS: ConnectOptions = {
  appName: "test",
  logger: silent,
  maxHeldBytes: 1_000_000,
  onStatus: () => {},
  onProblem: () => {},
};
const LOG: Declaration = { name: "log", patterns: ["#"], id: "all" };

async function connect(transport: MemoryTransport, options: Partial<ConnectOptions> = {}): Promise<Connection> {
  return transport.connect({ ...OPTIONS, ...options });
}

async function consume(
  transport: MemoryTransport,
  readAhead: number,
  { declaration = LOG, ...options }: Partial<ConnectOptions> & { declaration?: Declaration } = {},
): Promise<Consumer> {
  const connection = await connect(transport, options);
  const deliveries: Delivery[] = [];
  await connection.declarations.declare([declaration]);
  const subscription = await connection.subscribe("log", { readAhead, declaration: declaration.id }, (delivery) =>
    deliveries.push(delivery),
  );
  return { connection, subscription, deliveries };
}

/** Published and confirmed, as ids "1" to `count`. */
async function publish(connection: Connection, count: number): Promise<void> {
  await connection.publish(Array.from({ length: count }, (_, index) => event(`${index + 1}`)));
  await turns();
}

describe("a connection to the broker in memory", () => {
  it("hands over no more than it was asked to read ahead, in order", async () => {
    const { connection, deliveries } = await consume(memory(), 3);
    await publish(connection, 10);
    expect(idsOf(deliveries)).toEqual(["1", "2", "3"]);
    await deliveries[1]?.settle({ kind: "done", outputs: [] });
    await turns();
    expect(idsOf(deliveries)).toEqual(["1", "2", "3", "4"]);
    await connection.close();
  });

  it("hands over more as soon as more may be read ahead, without waiting for a settlement", async () => {
    const { connection, subscription, deliveries } = await consume(memory(), 1);
    await publish(connection, 5);
    subscription.readAhead(4);
    await turns();
    expect(idsOf(deliveries)).toEqual(["1", "2", "3", "4"]);
    subscription.readAhead(1);
    await deliveries[0]?.settle({ kind: "done", outputs: [] });
    await turns();
    expect(deliveries).toHaveLength(4);
    await connection.close();
  });

  it("deals out among competing subscribers", async () => {
    const transport = memory();
    const consumers = [await consume(transport, 2), await consume(transport, 2), await consume(transport, 100)];
    await publish(await connect(transport), 60);
    const counts = consumers.map(({ deliveries }) => deliveries.length);
    expect(counts.slice(0, 2)).toEqual([2, 2]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(60);
    expect(new Set(consumers.flatMap(({ deliveries }) => idsOf(deliveries))).size).toBe(60);
    for (const { connection } of consumers) await connection.close();
  });

  it("H1 keeps an event until it is settled: a closed connection gives it back, a crash counts it", async () => {
    const transport = memory();
    const first = await consume(transport, 10);
    await publish(first.connection, 2);
    await first.connection.close();
    const second = await consume(transport, 10);
    await turns();
    expect(second.deliveries.map(({ event: { id }, redeliveries }) => [id, redeliveries])).toEqual([
      ["1", 0],
      ["2", 0],
    ]);
    transport.crash();
    const third = await consume(transport, 10);
    await turns();
    expect(third.deliveries.map(({ event: { id }, redeliveries }) => [id, redeliveries])).toEqual([
      ["1", 1],
      ["2", 1],
    ]);
    await third.connection.close();
  });

  it("L3 drops what is settled too late or twice, and applies it to nothing else", async () => {
    const transport = memory();
    const first = await consume(transport, 10);
    await publish(first.connection, 1);
    transport.disconnect();
    transport.reconnect();
    await turns();
    expect(idsOf(first.deliveries)).toEqual(["1", "1"]);
    const [lost, held] = first.deliveries;
    await lost?.settle({ kind: "dead", id: "x", event: event("1") });
    expect(await first.connection.inspect("log")).toEqual({ ready: 0, inFlight: 1, waiting: 0, dead: 0 });
    await held?.settle({ kind: "done", outputs: [] });
    await held?.settle({ kind: "dead", id: "x", event: event("1") });
    expect(await first.connection.inspect("log")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
    await first.connection.close();
  });

  it("puts what is released back to its place, nothing counted", async () => {
    const { connection, subscription, deliveries } = await consume(memory(), 3);
    await publish(connection, 5);
    await subscription.stop();
    for (const delivery of deliveries) await delivery.settle({ kind: "release" });
    const again: Delivery[] = [];
    await connection.subscribe("log", { readAhead: 10, declaration: "all" }, (delivery) => again.push(delivery));
    await turns();
    expect(again.map(({ event: { id }, attempt, redeliveries }) => [id, attempt, redeliveries])).toEqual(
      ["1", "2", "3", "4", "5"].map((id) => [id, 1, 0]),
    );
    await connection.close();
  });

  it("L2 delivers nothing once a subscription has stopped, and lets what was delivered be settled", async () => {
    const { connection, subscription, deliveries } = await consume(memory(), 1);
    await publish(connection, 2);
    await subscription.stop();
    await deliveries[0]?.settle({ kind: "done", outputs: [event("output")] });
    await turns();
    expect(deliveries).toHaveLength(1);
    expect(await connection.inspect("log")).toEqual({ ready: 2, inFlight: 0, waiting: 0, dead: 0 });
    await connection.close();
  });

  it("refuses what needs a connection while it has none", async () => {
    const transport = memory();
    const { connection } = await consume(transport, 1);
    transport.disconnect();
    await expect(connection.declarations.declare([])).rejects.toMatchObject({
      code: "connection-failed",
      retryable: true,
    });
    await expect(connection.declarations.list("log")).rejects.toMatchObject({ code: "connection-failed" });
    await expect(connection.declarations.withdraw("log", [], 0)).rejects.toMatchObject({ code: "connection-failed" });
    await expect(connection.subscribe("log", { readAhead: 1, declaration: "all" }, () => {})).rejects.toMatchObject({
      code: "connection-failed",
    });
    const unconfirmed = await connection.publish([event("1"), event("2")]);
    expect(unconfirmed.map(({ index, error }) => [index, error])).toMatchObject([
      [0, { code: "connection-failed", retryable: true }],
      [1, { code: "connection-failed", retryable: true }],
    ]);
    await connection.close();
  });

  it("D2 tells that nobody has declared a use case", async () => {
    const connection = await connect(memory());
    const expected = {
      code: "unknown-use-case",
      message: 'No app has declared a use case "lgo" on this broker.',
      details: { useCase: "lgo" },
    };
    const letters = connection.deadLetters("lgo");
    await expect(connection.inspect("lgo")).rejects.toMatchObject(expected);
    await expect(letters.count()).rejects.toMatchObject(expected);
    await expect(letters.list({ limit: 1, order: "newest" })).rejects.toMatchObject(expected);
    await expect(letters.get("x")).rejects.toMatchObject(expected);
    await expect(letters.redrive("all", (letter) => letter.event as EncodedEvent)).rejects.toMatchObject(expected);
    await expect(letters.purge("all")).rejects.toMatchObject(expected);
    await connection.close();
  });

  it("R6 withdraws a pattern only where nobody has declared it for so long", async () => {
    const transport = memory();
    const { connection, deliveries } = await consume(transport, 10);
    await connection.declarations.withdraw("log", ["#", "never.bound"], 60_000);
    await publish(connection, 1);
    expect(deliveries).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await connection.declarations.withdraw("log", ["#"], 1);
    expect(await connection.declarations.list("log")).toEqual([]);
    await publish(connection, 1);
    expect(deliveries).toHaveLength(1);
    await connection.close();
  });

  it("says of each settlement whether it was stored or lost", async () => {
    const transport = memory();
    const { connection, deliveries } = await consume(transport, 10);
    await publish(connection, 3);
    const [first, second, third] = deliveries;
    expect(first?.lost).toBe(false);
    expect(await first?.settle({ kind: "done", outputs: [] })).toBe("stored");
    expect(await first?.settle({ kind: "done", outputs: [] })).toBe("lost");
    expect(first?.lost).toBe(true);
    expect(await second?.settle({ kind: "release" })).toBe("stored");
    transport.disconnect();
    expect(third?.lost).toBe(true);
    expect(await third?.settle({ kind: "done", outputs: [] })).toBe("lost");
    transport.reconnect();
    expect(third?.lost).toBe(true);
    await connection.close();
  });

  it("T6 counts a lost connection as a redelivery, and neither a release nor a close", async () => {
    const transport = memory();
    const { connection, deliveries } = await consume(transport, 10);
    await publish(connection, 1);
    await deliveries[0]?.settle({ kind: "release" });
    await turns();
    transport.disconnect();
    transport.reconnect();
    await turns();
    await connection.close();
    const { deliveries: later, connection: other } = await consume(transport, 10);
    await turns();
    expect([...deliveries, ...later].map(({ redeliveries }) => redeliveries)).toEqual([0, 0, 1, 1]);
    await other.close();
  });

  it("T4 a retry has its redeliveries counted anew", async () => {
    const transport = memory();
    const { connection, deliveries } = await consume(transport, 10);
    await publish(connection, 1);
    transport.disconnect();
    transport.reconnect();
    await turns();
    const again = { ...event("1"), headers: { papa_attempt: "2" } };
    await deliveries[1]?.settle({ kind: "retry", delay: 0, event: again });
    await new Promise((resolve) => setTimeout(resolve, 10));
    await turns();
    expect(deliveries.map(({ attempt, redeliveries }) => [attempt, redeliveries])).toEqual([
      [1, 0],
      [1, 1],
      [2, 0],
    ]);
    await connection.close();
  });

  it("refuses to connect while the network is down", async () => {
    const transport = memory();
    transport.disconnect();
    await expect(connect(transport)).rejects.toMatchObject({ code: "connection-failed", retryable: true });
    transport.reconnect();
    await (await connect(transport)).close();
  });

  describe("H9 the bytes that are handed out and not settled", () => {
    const large = (id: string, bytes: number): EncodedEvent => ({ ...event(id), body: Buffer.alloc(bytes, "x") });

    it("are at most maxHeldBytes, all use cases together, and more is handed out as they are settled", async () => {
      const transport = memory();
      const { connection, deliveries } = await consume(transport, 100, { maxHeldBytes: 1_000 });
      const others: Delivery[] = [];
      await connection.declarations.declare([{ name: "other", patterns: ["#"], id: "all" }]);
      await connection.subscribe("other", { readAhead: 100, declaration: "all" }, (delivery) => others.push(delivery));
      await connection.publish(["1", "2", "3"].map((id) => large(id, 400)));
      await turns();
      const held = () => [...deliveries, ...others];
      expect(held()).toHaveLength(2);
      for (let settled = 0; settled < 6; settled += 1) {
        await held()[settled]?.settle({ kind: "done", outputs: [] });
        await turns();
        expect(held().length - settled - 1).toBeLessThanOrEqual(2);
      }
      expect([idsOf(deliveries).sort(), idsOf(others).sort()]).toEqual([
        ["1", "2", "3"],
        ["1", "2", "3"],
      ]);
      await connection.close();
    });

    it("an event that has more is handed out alone", async () => {
      const { connection, deliveries } = await consume(memory(), 100, { maxHeldBytes: 1_000 });
      await connection.publish([large("small", 10), large("large", 5_000), large("after", 10)]);
      await turns();
      expect(idsOf(deliveries)).toEqual(["small"]);
      await deliveries[0]?.settle({ kind: "done", outputs: [] });
      await turns();
      expect(idsOf(deliveries)).toEqual(["small", "large"]);
      await deliveries[1]?.settle({ kind: "done", outputs: [] });
      await turns();
      expect(idsOf(deliveries)).toEqual(["small", "large", "after"]);
      await connection.close();
    });

    it("a connection that is lost holds nothing any more", async () => {
      const transport = memory();
      const { connection, deliveries } = await consume(transport, 100, { maxHeldBytes: 1_000 });
      await connection.publish(["1", "2"].map((id) => large(id, 500)));
      await turns();
      transport.disconnect();
      transport.reconnect();
      await turns();
      expect(idsOf(deliveries)).toEqual(["1", "2", "1", "2"]);
      await connection.close();
    });
  });

  describe("R6 forwarding", () => {
    const old: Declaration = { name: "log", patterns: ["old.*"], id: "old" };
    const forward = (to: string | undefined, delay = 60_000): Settlement => ({
      kind: "forward",
      delay,
      event: event("1"),
      to,
    });

    it("goes to an instance of the declaration at once, whoever else is free", async () => {
      const transport = memory();
      const one = await consume(transport, 10);
      const other = await consume(transport, 10, { declaration: old });
      const third = await consume(transport, 10);
      await publish(one.connection, 3);
      const own = one.deliveries[0] ?? third.deliveries[0];
      const before = other.deliveries.length;
      await own?.settle(forward("old"));
      await turns();
      expect(other.deliveries.length).toBe(before + 1);
      expect((await one.connection.inspect("log")).waiting).toBe(0);
      for (const { connection } of [one, other, third]) await connection.close();
    });

    it.each([undefined, "nobody's"])("to %s it waits, and then takes its chance", async (to) => {
      const { connection, deliveries } = await consume(memory(), 10);
      await publish(connection, 1);
      await deliveries[0]?.settle(forward(to, 20));
      expect(await connection.inspect("log")).toMatchObject({ waiting: 1, inFlight: 0 });
      await new Promise((resolve) => setTimeout(resolve, 40));
      await turns();
      expect(deliveries).toHaveLength(2);
      await connection.close();
    });

    it("nobody waits for an instance that has gone: it is ready for the others then", async () => {
      const transport = memory();
      const one = await consume(transport, 10);
      // One that has no room, so that the event waits for it.
      const other = await consume(transport, 1, { declaration: old });
      await publish(one.connection, 4);
      const own = one.deliveries[0];
      await own?.settle(forward("old"));
      await turns();
      expect((await one.connection.inspect("log")).ready).toBe(1);
      const before = one.deliveries.length;
      await other.subscription.stop();
      await turns();
      expect(one.deliveries.length).toBe(before + 1);
      for (const { connection } of [one, other]) await connection.close();
    });
  });

  describe("T6 trials", () => {
    it("counts those that have begun and were not taken back, over connections and crashes", async () => {
      const transport = memory();
      const first = await connect(transport);
      expect(await first.trials?.begin("log", "1", "a")).toBe(0);
      expect(await first.trials?.begin("log", "2", "b")).toBe(0);
      expect(await first.trials?.begin("other", "1", "c")).toBe(0);
      transport.crash();
      const second = await connect(transport);
      expect(await second.trials?.begin("log", "1", "d")).toBe(1);
      await second.trials?.end("log", "1", "d");
      expect(await second.trials?.begin("log", "1", "e")).toBe(1);
      await second.trials?.end("log", "1");
      expect(await second.trials?.begin("log", "1", "f")).toBe(0);
      expect(await second.trials?.begin("log", "2", "g")).toBe(1);
      await second.close();
    });

    it("a process that was killed takes nothing back, and one without a connection is told", async () => {
      const transport = memory();
      const first = await connect(transport);
      await first.trials?.begin("log", "1", "a");
      transport.disconnect();
      await expect(first.trials?.begin("log", "1", "b")).rejects.toMatchObject({ code: "connection-failed" });
      await expect(first.trials?.end("log", "1", "a")).rejects.toMatchObject({ code: "connection-failed" });
      transport.reconnect();
      transport.crash();
      await first.trials?.end("log", "1", "a");
      const second = await connect(transport);
      expect(await second.trials?.begin("log", "1", "c")).toBe(1);
      await second.close();
    });
  });

  it("R9 lists what is declared, by use case, app and declaration, and for how long it has been idle", async () => {
    const clock = virtualClock({ start: 0 });
    const transport = memory({ clock });
    const one = await connect(transport, { appName: "one" });
    const two = await connect(transport, { appName: "two" });
    const mail: Declaration = { name: "mail", patterns: ["b"], id: "b" };
    await one.declarations.declare([LOG, mail]);
    await clock.advance("5s");
    await two.declarations.declare([LOG, { ...LOG, patterns: ["a.*"], id: "a" }]);
    await one.declarations.declare([mail]);
    const sorted = (records: readonly DeclarationRecord[] | undefined) =>
      records
        ?.map(({ useCase, app, id, patterns, idle }) => [useCase, app, id, patterns.join(), idle].join(" "))
        .sort();
    const log = ["log one all # 5000", "log two a a.* 0", "log two all # 0"];
    expect(sorted(await one.declarations.list("log"))).toEqual(log);
    expect(sorted(await two.declarations.list())).toEqual([...log, "mail one b b 0"]);
    expect(await one.declarations.list("nobody's")).toEqual([]);
    await one.close();
    await two.close();
  });

  it("memory() refuses options that it has not", () => {
    expect(() => memory({ clok: 1 } as never)).toThrow(
      'memory: unknown option "clok"; the nearest known one is "clock".',
    );
  });
});
