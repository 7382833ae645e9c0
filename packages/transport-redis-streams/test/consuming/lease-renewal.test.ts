import { redis as startRedis } from "@papa-events/conformance/brokers";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { readOptions } from "../../src/client/options.ts";
import { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { renewLeases } from "../../src/scripts/renew-leases.ts";
import { consumerName, GROUP } from "../../src/wire/keys.ts";
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

/** A connection of an app with this lease, and the longest pause between two tries to connect. */
async function connect(uri: string, lease: number) {
  const target = readOptions({ uri, lease });
  let pauses: ((times: number) => unknown) | undefined;
  const makeClient: typeof target.makeClient = (settings) => {
    pauses = (times) => settings.retryStrategy?.(times);
    return target.makeClient(settings);
  };
  const connection = await ReconnectingConnection.open({ target: { ...target, makeClient }, connectionName: "x" });
  onTestFinished(() => connection.close());
  const random = vi.spyOn(Math, "random").mockReturnValue(1);
  const longestPause = Number(pauses?.(100));
  random.mockRestore();
  return { connection, longestPause };
}

test.each([true, false])(
  "H3 after an outage each lease goes on for longer than its owner pauses between two tries, whoever is back first (all ended: %s)",
  async (allEnded) => {
    const space = new Space();
    const leases = space.key("leases:uc");
    const lengths = [500, 5_000, 15_000, 60_000];
    const apps = await Promise.all(lengths.map(async (lease) => ({ lease, ...(await connect(space.uri, lease)) })));
    for (const first of apps) {
      const [seconds, microseconds] = await space.redis.time();
      const present = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
      const names = new Map(apps.map((app) => [consumerName("app", `${app.lease}`, app.lease, "any"), app]));
      // Where not all have ended, some are about to.
      for (const name of names.keys()) await space.redis.zadd(leases, present + (allEnded ? -1 : 200), name);
      const keys = [space.key("clock"), space.key("bindings"), space.key("queue:uc"), leases, space.key("due:uc")];
      await first.connection.run(renewLeases, keys, [GROUP, first.lease, allEnded ? 0 : 1, 0, "nobody"]);
      for (const [name, { longestPause }] of names) {
        const left = Number(await space.redis.zscore(leases, name)) - present;
        expect(left).toBeGreaterThan(longestPause * 1.5);
      }
    }
  },
);
