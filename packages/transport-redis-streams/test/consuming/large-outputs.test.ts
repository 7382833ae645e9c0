import { redis as startRedis } from "@papa-events/conformance/brokers";
import { isPapaError } from "@papa-events/core";
import type { Connection, Delivery, EncodedEvent } from "@papa-events/core/transport";
import { expect, inject, onTestFinished, test } from "vitest";
import { encoded } from "../support/events.ts";
import { slowLine } from "../support/slow-line.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const MIB = 1_048_576;

function outputs(count: number, bytes: number): readonly EncodedEvent[] {
  return Array.from({ length: count }, (_, n) => encoded("out", `${n} ${"x".repeat(bytes)}`));
}

/** Takes one event to settle. */
async function takeOne(connection: Connection): Promise<Delivery> {
  const deliveries: Delivery[] = [];
  await connection.declarations.declare([declared("uc", "x"), declared("sink", "out")]);
  await connection.publish([encoded("x", 1)]);
  await connection.subscribe("uc", { readAhead: 1, declaration: "any" }, (delivery) => deliveries.push(delivery));
  await until("it is out", () => deliveries.length === 1);
  return deliveries[0] as Delivery;
}

test("H1 outputs of many megabytes get through a slow line, each once, and others get through beside them", async () => {
  const space = new Space({ lease: 2_000 });
  const statuses: unknown[] = [];
  const connection = await space.connect({
    address: await slowLine(space.uri, 4 * MIB),
    onStatus: (status) => void statuses.push(status),
  });
  const delivery = await takeOne(connection);
  const settled = delivery.settle({ kind: "done", outputs: outputs(56, MIB - 64) });
  const other = await space.connect();
  // Leases are renewed beside it: nobody takes over what is being settled.
  const toOther: string[] = [];
  await other.subscribe("uc", { readAhead: 1, declaration: "any" }, ({ event }) => toOther.push(String(event.body)));
  await until("some are stored", async () => (await other.inspect("sink")).ready > 2);
  expect((await other.inspect("uc")).inFlight).toBe(1);
  const began = performance.now();
  expect(await connection.publish([encoded("x", 2)])).toEqual([]);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(await settled).toBe("stored");
  expect((await other.inspect("sink")).ready).toBe(56);
  expect(toOther).toEqual(["2"]);
  expect(statuses).toEqual([]);
});

test("H1 a part that is refused leaves the event open, and a second try goes on from there", async () => {
  const broker = await startRedis(inject("redisVersion"));
  onTestFinished(() => broker.stop());
  const space = new Space({ uri: broker.uri });
  const connection = await space.connect();
  const delivery = await takeOne(connection);
  await space.redis.config("SET", "maxmemory", 12 * MIB);
  const settlement = { kind: "done", outputs: outputs(16, MIB - 64) } as const;
  const error = await delivery.settle(settlement).catch((thrown: unknown) => thrown);
  expect(isPapaError(error) && error.retryable, String(error)).toBe(true);
  const { ready } = await connection.inspect("sink");
  expect(ready).toBeGreaterThan(1);
  expect(ready).toBeLessThan(16);
  expect((await connection.inspect("uc")).inFlight).toBe(1);
  await space.redis.config("SET", "maxmemory", 0);
  expect(await delivery.settle(settlement)).toBe("stored");
  expect(await connection.inspect("sink")).toMatchObject({ ready: 16 });
  expect(await connection.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
});

test("H1 a thousand small outputs are all stored, in their order", async () => {
  const space = new Space();
  const connection = await space.connect();
  const delivery = await takeOne(connection);
  expect(await delivery.settle({ kind: "done", outputs: outputs(1_100, 1) })).toBe("stored");
  const stored = await space.redis.xrange(space.key("queue:sink"), "-", "+");
  expect(stored).toHaveLength(1_100);
  expect(stored.map(([, [, packed = ""]]) => packed.split("\n").at(-1))).toEqual(
    Array.from({ length: 1_100 }, (_, n) => `"${n} x"`),
  );
});
