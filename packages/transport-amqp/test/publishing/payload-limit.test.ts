import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

test("P4 a payload of exactly the limit passes, through retry and dead letter too", async () => {
  const space = new Space();
  const payload = "x".repeat(1_048_574);
  const sizes: number[] = [];
  const app = space.app({ retries: 1, retryDelay: 100 }).onEvent("x", { useCase: "uc" }, (got) => {
    sizes.push((got as string).length);
    throw new Error("no");
  });
  await app.start();
  await app.newEvent("x", payload, { headers: { big: "h".repeat(32_000) } });
  await until("the dead letter", async () => (await app.deadLetters("uc").count()) === 1);
  expect(sizes).toEqual([payload.length, payload.length]);
  const [deadLetter] = (await app.deadLetters("uc").list()).items;
  expect(deadLetter?.body.length).toBe(1_048_576);
  expect(deadLetter?.headers.big).toHaveLength(32_000);
});
