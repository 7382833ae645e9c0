import { expect, test } from "vitest";
import { run } from "../support/processes.ts";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("T6 a trial's record outlives its connection, and counts until it is taken back", async () => {
  const space = new Space();
  const first = await space.connect();
  expect(await first.trials?.begin("uc", "id 1", "trial-1")).toBe(0);
  expect(await first.trials?.begin("uc", "id 2", "trial-2")).toBe(0);
  await first.close();
  const { trials } = await space.connect();
  expect(await trials?.begin("uc", "id 1", "trial-3")).toBe(1);
  expect(await trials?.begin("other", "id 1", "trial-4")).toBe(0);
  await trials?.end("uc", "id 1", "trial-1");
  expect(await trials?.begin("uc", "id 1", "trial-5")).toBe(1);
  await trials?.end("uc", "id 1");
  await trials?.end("uc", "id 1", "trial-5");
  expect(await trials?.begin("uc", "id 1", "trial-6")).toBe(0);
  await trials?.end("uc", "id 1", "trial-6");
  await trials?.end("uc", "id 2", "trial-2");
  expect(await space.redis.exists(space.key("trials:uc"))).toBe(0);
});

test("T6 records of events that came to no end are bounded in number and age", async () => {
  const space = new Space();
  const { trials } = await space.connect();
  const key = space.key("trials:uc");
  const old = Date.now() - 8 * 86_400_000;
  await space.redis.hset(key, "old", `${old} left-by-the-dead`);
  const many = Array.from({ length: 1_200 }, (_, n) => [`event-${n}`, `${Date.now() - 1_200 + n} left-by-the-dead`]);
  await space.redis.hset(key, Object.fromEntries(many));
  expect(await trials?.begin("uc", "event-1199", "trial")).toBe(1);
  expect(await space.redis.hlen(key)).toBe(1_000);
  expect(await space.redis.hmget(key, "old", "event-0", "event-1198")).toEqual([null, null, expect.any(String)]);
});

test("T6 with default options, an event that kills its process becomes a dead letter, and 30 harmless ones are handled", async () => {
  const space = new Space({ lease: 500 });
  const app = space.app();
  await app.start();
  const letters = app.deadLetters("uc");
  const lines: string[] = [];
  let deaths = 0;
  let ended = false;
  const start = () => {
    run("crashing-child.ts", [space.url()], lines).on("exit", (_, signal) => {
      if (signal !== "SIGKILL" || ended) return;
      deaths += 1;
      start();
    });
  };
  start();
  await until("the use case is declared", async () => (await space.redis.exists(space.key("queue:uc"))) === 1);
  const payloads = Array.from({ length: 31 }, (_, n) => (n === 7 ? "poison" : `harmless ${n}`));
  await app.newEvents(payloads.map((payload) => ({ name: "x", payload })));
  await until("one is dead", async () => (await letters.count()) > 0, 50_000);
  await until("the others are handled", () => new Set(lines).size === 30);
  ended = true;
  const { items } = await letters.list();
  expect(items.map(({ reason, payload }) => [reason, payload])).toEqual([["crash-loop", "poison"]]);
  // Twice before it was suspected, and five times on trial.
  expect(deaths).toBe(7);
  await until("no record is left", async () => (await space.redis.exists(space.key("trials:uc"))) === 0);
});
