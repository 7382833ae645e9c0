import { expect, test } from "vitest";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const USE_CASES = 100;

test("L1 an app of 100 use cases starts in time on a cluster that has none of their topics", async () => {
  const space = new Space();
  const app = space.app();
  const handled = new Map<string, number>();
  for (let index = 0; index < USE_CASES; index += 1) {
    const useCase = `use_case_${index}`;
    app.onEvent("user.*", { useCase }, () => void handled.set(useCase, (handled.get(useCase) ?? 0) + 1));
  }
  const begun = performance.now();
  await app.start();
  // It takes 5 s on two idle cores; `npm run bench -- kafka-idle` measures it.
  expect(performance.now() - begun).toBeLessThan(30_000);
  await app.newEvent("user.created", {});
  await until("it has reached all", () => handled.size === USE_CASES);
  expect([...handled.values()].every((count) => count === 1)).toBe(true);
});
