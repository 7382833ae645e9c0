import { redis as startRedis } from "@papa-events/conformance/brokers";
import { isPapaError } from "@papa-events/core";
import type { Connection, Delivery, EncodedEvent } from "@papa-events/core/transport";
import { expect, inject, onTestFinished, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** An event of so many bytes. */
function large(name: string, bytes: number): EncodedEvent {
  return encoded(name, "x".repeat(bytes));
}

async function subscribe(connection: Connection, readAhead: number, useCase = "uc"): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  await connection.subscribe(useCase, { readAhead, declaration: "any" }, (delivery) => deliveries.push(delivery));
  return deliveries;
}

/** A look at the server later: what could have been delivered has been. */
async function laterOn(space: Space): Promise<void> {
  const connection = await space.connect();
  await connection.declarations.declare([declared("marker", "marker")]);
  const deliveries = await subscribe(connection, 1, "marker");
  await connection.publish([encoded("marker", 1)]);
  await until("the marker is out", () => deliveries.length === 1);
  await deliveries[0]?.settle({ kind: "done", outputs: [] });
}

test("H9 a delivery counts until its settlement is stored, also while the server refuses it", async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  const deliveries = await subscribe(connection, 1);
  await connection.publish([encoded("x", 1), encoded("x", 2)]);
  await until("one is out", () => deliveries.length === 1);
  await space.redis.set(space.key("dead:uc"), "not a hash");
  const dead = { kind: "dead", id: "dead-letter", event: encoded("x", 1) } as const;
  const refused = await deliveries[0]?.settle(dead).catch((error: unknown) => error);
  expect(isPapaError(refused) && !refused.retryable).toBe(true);
  await laterOn(space);
  expect(deliveries).toHaveLength(1);
  await space.redis.del(space.key("dead:uc"));
  expect(await deliveries[0]?.settle(dead)).toBe("stored");
  await until("the other is out", () => deliveries.length === 2);
});

test("H2 all of the room is used, also a little that was left by a settlement", async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  await connection.publish(Array.from({ length: 60 }, (_, n) => encoded("x", n)));
  const deliveries = await subscribe(connection, 40);
  await until("forty are out", () => deliveries.length === 40);
  await deliveries[0]?.settle({ kind: "done", outputs: [] });
  await until("one more is out", () => deliveries.length === 41);
  await laterOn(space);
  expect(deliveries).toHaveLength(41);
});

test("H9 no more bytes are handed out than the app holds, all use cases together, and a larger event comes alone", async () => {
  const space = new Space();
  const connection = await space.connect({ maxHeldBytes: 100_000 });
  await connection.declarations.declare([declared("uc", "x"), declared("second", "x")]);
  const events = Array.from({ length: 12 }, (_, n) => large("x", n === 5 ? 200_000 : 30_000));
  await connection.publish(events);
  const out: Delivery[] = [];
  let most = 0;
  let handled = 0;
  const onDelivery = (delivery: Delivery) => {
    out.push(delivery);
    const bytes = out.reduce((sum, { event }) => sum + event.body.length, 0);
    if (out.length > 1) most = Math.max(most, bytes);
  };
  for (const useCase of ["uc", "second"])
    await connection.subscribe(useCase, { readAhead: 10, declaration: "any" }, onDelivery);
  while (handled < 24) {
    await until("some are out", () => out.length > 0);
    // One by one, so that room comes in small pieces.
    const settled = out[0]?.settle({ kind: "done", outputs: [] });
    out.shift();
    handled += 1;
    await settled;
  }
  expect(most).toBeGreaterThan(60_000);
  expect(most).toBeLessThanOrEqual(100_000);
  expect(await connection.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
});

test("L8 a queue that is deleted while all that was read ahead fails is consumed again", async () => {
  const space = new Space({ lease: 60_000 });
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  const deliveries = await subscribe(connection, 2);
  await connection.publish([encoded("x", 1), encoded("x", 2)]);
  await until("both are out", () => deliveries.length === 2);
  await space.redis.unlink(space.key("queue:uc"));
  const event = encoded("x", "later");
  for (const delivery of deliveries)
    expect(await delivery.settle({ kind: "retry", delay: 3_600_000, event })).toBe("lost");
  await connection.publish([encoded("x", 3)]);
  await until("another is out", () => deliveries.length === 3);
});

test("L7 a full server is drained: consumers start, acknowledge, retry and dead-letter, and only what adds to it is refused", async () => {
  const broker = await startRedis(inject("redisVersion"));
  onTestFinished(() => broker.stop());
  const space = new Space({ uri: broker.uri });
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x"), declared("sink", "out")]);
  await space.redis.config("SET", "maxmemory", 8 * 1_048_576);
  let stored = 0;
  let refusal: Error | undefined;
  while (refusal === undefined) {
    refusal = (await publisher.publish([large("x", 20_000)]))[0]?.error;
    if (refusal === undefined) stored += 1;
  }
  expect(isPapaError(refusal, "connection-failed") && refusal.retryable).toBe(true);

  const problems: unknown[] = [];
  const consumer = await space.connect({ onProblem: (_, problem) => problems.push(problem) });
  await consumer.declarations.declare([declared("uc", "x", "and.another")]);
  const deliveries = await subscribe(consumer, 40);
  await until("forty are out", () => deliveries.length >= 30);
  expect(await consumer.trials?.begin("uc", "suspect", "trial")).toBe(0);
  // It knows by now who wants what.
  expect(await consumer.publish([large("x", 20_000)])).toHaveLength(1);
  const [withOutputs, done, retry, dead, forwarded, released, unwanted] = deliveries;
  const refused = withOutputs?.settle({ kind: "done", outputs: [encoded("out", 1)] }).catch((error: unknown) => error);
  expect(
    await Promise.all([
      done?.settle({ kind: "done", outputs: [] }),
      retry?.settle({ kind: "retry", delay: 10, event: large("x", 20_000) }),
      dead?.settle({ kind: "dead", id: "dead-letter", event: large("x", 20_000) }),
      forwarded?.settle({ kind: "forward", delay: 10, event: large("x", 20_000) }),
      released?.settle({ kind: "release" }),
      unwanted?.settle({ kind: "done", outputs: [encoded("nobody.wants", 1)] }),
    ]),
  ).toEqual(["stored", "stored", "stored", "stored", "stored", "stored"]);
  const error = await refused;
  expect(isPapaError(error) && error.retryable, String(error)).toBe(true);

  let handled = 2;
  for (let at = 7; handled < stored - 2; at += 1) {
    await until("another is out", () => deliveries.length > at);
    expect(await deliveries[at]?.settle({ kind: "done", outputs: [] })).toBe("stored");
    handled += 1;
  }
  // There is room again, and what was refused is stored.
  expect(await withOutputs?.settle({ kind: "done", outputs: [encoded("out", 1)] })).toBe("stored");
  expect(await consumer.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 1 });
  expect((await publisher.inspect("sink")).ready).toBe(1);
  expect(await publisher.publish([encoded("out", 2)])).toEqual([]);
  expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
});
