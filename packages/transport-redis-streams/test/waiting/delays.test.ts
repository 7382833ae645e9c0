import { expect, test } from "vitest";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("T2 three apps put many due retries back together: none early, none twice", async () => {
  const space = new Space();
  const count = 10_000;
  const delay = 3_000;
  const failed = new Map<number, number>();
  const again = new Map<number, number[]>();
  const apps = [1, 2, 3].map(() =>
    space.app({ concurrency: 200 }).onEvent("x", { useCase: "uc", retries: 1, retryDelay: delay }, (payload, ctx) => {
      const n = payload as number;
      if (ctx.attempt === 1) {
        failed.set(n, Date.now());
        throw new Error("once");
      }
      again.set(n, [...(again.get(n) ?? []), Date.now() - (failed.get(n) ?? 0)]);
    }),
  );
  await Promise.all(apps.map((app) => app.start()));
  await apps[0]?.newEvents(Array.from({ length: count }, (_, n) => ({ name: "x", payload: n })));
  await until("all have come back", () => again.size === count, 40_000);
  await until("nothing is left", async () => {
    const stats = (await apps[0]?.stats())?.uc;
    return stats !== undefined && stats.ready + stats.inFlight + stats.waiting === 0;
  });
  const times = [...again.values()];
  expect(times.filter((each) => each.length > 1)).toEqual([]);
  // By the clock that the server goes by, which is this machine's, in whole milliseconds.
  expect(Math.min(...times.flat())).toBeGreaterThanOrEqual(delay - 1);
});
