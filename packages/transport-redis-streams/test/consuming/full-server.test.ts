import { redis as startRedis } from "@papa-events/conformance/brokers";
import { isPapaError } from "@papa-events/core";
import { expect, inject, onTestFinished, test } from "vitest";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/**
 * A full server has room for nothing: every script that consumers need must still run, or what is there can never be
 * handled. Half of the events fail once, so that retries have to be stored while it is full.
 */
test("L7 a server of 6 MB that is full while handlers hang drains to nothing, and consumers restarted meanwhile start", async () => {
  const broker = await startRedis(inject("redisVersion"));
  onTestFinished(() => broker.stop());
  const space = new Space({ uri: broker.uri, lease: 2_000 });
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const failed = new Set<unknown>();
  const handled = new Set<unknown>();
  const consumer = () =>
    space
      .app({ retries: 3, retryDelay: 200, concurrency: 10 })
      .onEvent("x", { useCase: "uc" }, async (payload) => {
        const { n } = payload as { readonly n: number };
        await held;
        if (n % 2 === 0 && !failed.has(n)) {
          failed.add(n);
          throw new Error("once");
        }
        handled.add(n);
      })
      .onEvent("x", { useCase: "second", concurrency: 5 }, () => held);
  const consumers = [consumer(), consumer()];
  for (const app of consumers) await app.start();
  const publishers = [space.app({ publishTimeout: 1_500 }), space.app({ publishTimeout: 1_500 })];
  for (const app of publishers) await app.start();
  const used = Number(/used_memory:(\d+)/.exec(await space.redis.info("memory"))?.[1]);
  await space.redis.config("SET", "maxmemory", Math.max(6 * 1_048_576, used + 2 * 1_048_576));

  const confirmed: number[] = [];
  let refusals = 0;
  const publish = async (app: (typeof publishers)[number], from: number) => {
    for (let n = from; refusals < 20; n += 2) {
      try {
        await app.newEvent("x", { n, text: "x".repeat(2_000) });
        confirmed.push(n);
      } catch (error) {
        expect(isPapaError(error, "publish-timeout") && error.retryable, String(error)).toBe(true);
        refusals += 10;
      }
    }
  };
  await Promise.all(publishers.map((app, from) => publish(app, from)));
  expect(confirmed.length).toBeGreaterThan(100);

  // Still full.
  const restarted = consumer();
  await restarted.start();
  letGo();
  const stopped = consumers.shift();
  await stopped?.stop();
  await consumer().start();
  const drained = async () => {
    const stats = await restarted.stats();
    return Object.values(stats).every(({ ready, inFlight, waiting }) => ready + inFlight + waiting === 0);
  };
  await until("it is drained", drained, 40_000);
  expect(confirmed.filter((n) => !handled.has(n))).toEqual([]);
  expect(Object.values(await restarted.stats()).map(({ dead }) => dead)).toEqual([0, 0]);
  await publishers[0]?.newEvent("x", { n: -1, text: "" });
  await until("there is room again", () => handled.has(-1));
});
