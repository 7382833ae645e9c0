import { expect, test } from "vitest";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const BYTES = Buffer.from([0xff, 0x00, 0xfe]);

test("L5 headers that are not text or come twice come back from retry, dead letter and redrive as they were", async () => {
  const space = new Space();
  const headers: unknown[] = [];
  let fail = true;
  const app = space.app({ retries: 1, retryDelay: 10 }).onEvent("x", { useCase: "uc" }, (_, context) => {
    headers.push(context.headers);
    if (fail) throw new Error("ill");
  });
  await app.start();
  const fields = ["event", "x", "payload", "1", "text", "t", "bytes", BYTES, "twice", "a", "twice", BYTES];
  await space.redis.xadd(space.key("inbox"), "*", ...fields);
  const letters = app.deadLetters("uc");
  await until("it is dead", async () => (await letters.count()) === 1);
  const connection = await space.connect();
  const raw = async () =>
    (await connection.deadLetters("uc").list({ limit: 1, order: "newest" })).items[0]?.event.headers;
  const expected = { text: "t", bytes: BYTES, twice: ["a", BYTES] };
  expect(await raw()).toMatchObject(expected);
  const [first] = (await letters.list()).items;
  expect(await letters.redrive("all")).toBe(1);
  await until(
    "it is dead again",
    async () => (await letters.list()).items[0]?.id !== first?.id && (await letters.count()) === 1,
  );
  expect(await raw()).toMatchObject(expected);
  // Handlers see what is text, on every attempt alike.
  expect(new Set(headers.map((each) => JSON.stringify(each)))).toEqual(new Set(['{"text":"t","twice":"a"}']));
  expect(headers).toHaveLength(4);
  fail = false;
  await letters.redrive("all");
  await until("it is handled", () => headers.length === 5);
});

test("L5 an entry put straight into a queue keeps its own headers too", async () => {
  const space = new Space();
  const app = space.app({ retries: 0 }).onEvent("x", { useCase: "uc" }, () => Promise.reject(new Error("ill")));
  await app.start();
  await space.redis.xadd(space.key("queue:uc"), "*", "event", "x", "payload", "1", "bytes", BYTES);
  const letters = app.deadLetters("uc");
  await until("it is dead", async () => (await letters.count()) === 1);
  const connection = await space.connect();
  const { items } = await connection.deadLetters("uc").list({ limit: 1, order: "newest" });
  expect(items[0]?.event.headers).toMatchObject({ bytes: BYTES });
});
