import { expect, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";

const USE_CASES = Array.from({ length: 50 }, (_, index) => `uc_${index}`);

/** A connection, and 50 use cases that are bound to `x.*`. */
async function declareUseCases(space: Space) {
  const connection = await space.connect();
  await connection.declarations.declare(USE_CASES.map((name) => declared(name, "x.*")));
  return connection;
}

test("P1 events of many use cases are stored by several scripts, each once and in order", async () => {
  const space = new Space();
  const connection = await declareUseCases(space);
  const events = Array.from({ length: 100 }, (_, index) => encoded(index % 10 === 3 ? "unbound" : "x.y", index));
  await space.redis.config("RESETSTAT");
  expect(await connection.publish(events)).toEqual([]);
  const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await space.redis.info("commandstats"))?.[1]);
  expect(calls).toBeGreaterThan(3);
  for (const useCase of USE_CASES) {
    const entries = await space.redis.xrange(space.key(`queue:${useCase}`), "-", "+");
    const payloads = entries.map(([, fields]) => Number(fields[1]?.split("\n").at(-1)));
    expect(payloads).toEqual(Array.from({ length: 100 }, (_, index) => index).filter((index) => index % 10 !== 3));
  }
});

test("H8, P2 an event that the server refuses for good harms no other of its call, and each is stored once", async () => {
  const space = new Space();
  const connection = await declareUseCases(space);
  // A key that is not a queue: the script fails before it stores anything.
  await connection.declarations.declare([declared("odd", "x.odd")]);
  await space.redis.del(space.key("queue:odd"));
  await space.redis.set(space.key("queue:odd"), "not a queue");
  const events = Array.from({ length: 60 }, (_, index) => encoded(index === 50 ? "x.odd" : "x.y", index));
  const unconfirmed = await connection.publish(events);
  expect(unconfirmed.map(({ index }) => index)).toEqual([50]);
  expect(unconfirmed[0]?.error).toMatchObject({ code: "topology-conflict", retryable: false });
  const entries = await space.redis.xrange(space.key("queue:uc_7"), "-", "+");
  const payloads = entries.map(([, fields]) => Number(fields[1]?.split("\n").at(-1)));
  expect(payloads).toEqual(Array.from({ length: 60 }, (_, index) => index).filter((index) => index !== 50));
});
