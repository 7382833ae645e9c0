import type {
  Connection,
  ConnectOptions,
  Declaration,
  Delivery,
  EncodedEvent,
  Subscription,
} from "@papa-events/core/transport";
import { describe, expect, it } from "vitest";
import { type MemoryTransport, memory } from "../src/index.ts";
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

  it("memory() refuses options that it has not", () => {
    expect(() => memory({ clok: 1 } as never)).toThrow(
      'memory: unknown option "clok"; the nearest known one is "clock".',
    );
  });
});
