import { expect, test } from "vitest";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** A stack and a message as long as they may be. */
function longError(): Error {
  const error = new Error("m".repeat(20_000));
  error.stack = "s".repeat(100_000);
  return error;
}

test.each([
  ["one of 47 KiB", Object.fromEntries([["large", "v".repeat(47 * 1_024)]])],
  ["2,000 small ones", Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`header-${n}`, `${n}`]))],
  ["5,000 small ones", Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`header-${n}`, `${n}`]))],
  ["one of control characters", { odd: "\u0001".repeat(30_000) }],
])("D5 an event from outside is retried and dead-lettered with all of its headers: %s", async (_, headers) => {
  const space = new Space();
  const attempts: number[] = [];
  const app = space.app({ retries: 1, retryDelay: 10 }).onEvent("x", { useCase: "uc" }, (_, { attempt }) => {
    attempts.push(attempt);
    throw longError();
  });
  await app.start();
  const fields = Object.entries(headers).flat();
  await space.redis.xadd(space.key("inbox"), "*", "event", "x", "payload", "1", ...fields);
  const letters = app.deadLetters("uc");
  await until("it is dead", async () => (await letters.count()) === 1);
  const [letter] = (await letters.list()).items;
  expect(attempts).toEqual([1, 2]);
  expect(letter?.reason).toBe("retries-exhausted");
  expect(letter?.headers).toMatchObject(headers);
  expect(letter?.error.stack.length).toBeGreaterThan(8_000);
  await until("nothing is held up", async () => (await space.redis.xlen(space.key("inbox"))) === 0);
});
