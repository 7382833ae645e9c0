import { redis as startRedis } from "@papa-events/conformance/brokers";
import { expect, inject, onTestFinished, test } from "vitest";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** How often the server has run each command. */
async function calls(space: Space): Promise<ReadonlyMap<string, number>> {
  const text = await space.redis.info("commandstats");
  return new Map(
    [...text.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name = "", count]) => [name, Number(count)]),
  );
}

test("an app renews the leases of all its use cases by one command, and each is renewed", async () => {
  // A server of its own, which serves nobody else.
  const broker = await startRedis(inject("redisVersion"));
  onTestFinished(() => broker.stop());
  const space = new Space({ uri: broker.uri, lease: 2_000 });
  const connection = await space.connect();
  const names = Array.from({ length: 40 }, (_, n) => `uc-${n}`);
  await connection.declarations.declare(names.map((name) => declared(name, "x")));
  await Promise.all(names.map((name) => connection.subscribe(name, { readAhead: 1, declaration: "any" }, () => {})));
  const ends = async () =>
    Promise.all(
      names.map(async (name) =>
        Number((await space.redis.zrange(space.key(`leases:${name}`), 0, "0", "WITHSCORES"))[1]),
      ),
    );
  const before = await ends();
  await until("all are renewed", async () => (await ends()).every((end, n) => end > (before[n] ?? 0)));
  const scripts = async () => {
    const counts = await calls(space);
    return (counts.get("evalsha") ?? 0) + (counts.get("eval") ?? 0);
  };
  const first = await scripts();
  const began = performance.now();
  await until("two seconds have passed", () => performance.now() - began > 2_000);
  // Four renewals and a look at what is declared, and not one for each of the forty.
  expect((await scripts()) - first).toBeLessThan(20);
});

test("H8 a key of another type keeps only its own use case's lease from being renewed", async () => {
  const space = new Space({ lease: 1_000 });
  const connection = await space.connect();
  await connection.declarations.declare([declared("odd", "x"), declared("fine", "x")]);
  for (const name of ["odd", "fine"]) await connection.subscribe(name, { readAhead: 1, declaration: "any" }, () => {});
  await space.redis.del(space.key("leases:odd"));
  await space.redis.set(space.key("leases:odd"), "something else");
  const consumer = async () => space.redis.zrange(space.key("leases:fine"), 0, "-1", "WITHSCORES");
  const before = await consumer();
  await until("the other is renewed", async () => Number((await consumer())[1]) > Number(before[1]) + 1_000);
  expect((await consumer())[0]).toBe(before[0]);
});
