import { expect, test } from "vitest";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("P1 events that are done leave the server, with the memory they took", async () => {
  const space = new Space();
  let fail = true;
  const app = space.app({ concurrency: 100, retryDelay: 10, retries: 1 });
  let handled = 0;
  app.onEvent("x.*", { useCase: "uc" }, (n) => {
    if (fail && (n as number) % 5 === 0) throw new Error("ill");
    handled += 1;
  });
  await app.start();
  const memory = async () => {
    const keys = await space.redis.keys(space.key("*"));
    const sizes = await Promise.all(keys.map((key) => space.redis.memory("USAGE", key, "SAMPLES", 0)));
    return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  };
  const baseline = await memory();
  for (let round = 0; round < 4; round += 1)
    await app.newEvents(Array.from({ length: 1_000 }, (_, n) => ({ name: "x.y", payload: n })));
  const deadLetters = app.deadLetters("uc");
  await until("a fifth is dead", async () => handled === 3_200 && (await deadLetters.count()) === 800);
  fail = false;
  expect(await deadLetters.redrive("all")).toBe(800);
  await until("all are handled", () => handled === 4_000);
  await until("nothing is left", async () => {
    const stats = (await app.stats()).uc;
    return stats !== undefined && stats.ready + stats.inFlight + stats.waiting + stats.dead === 0;
  });
  expect(await memory()).toBeLessThan(baseline + 4_096);
  await app.stop();
  const left = (await space.redis.keys(space.key("*"))).map((key) => key.replace(space.key(""), "")).sort();
  expect(left).toEqual(["bindings", "clock", "declarations", "queue:uc", "use-cases", "version"]);
});
