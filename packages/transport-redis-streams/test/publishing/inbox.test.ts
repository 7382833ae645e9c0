import { expect, test } from "vitest";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L5 several apps forward an event once to each use case, with its own id, headers and time", async () => {
  const space = new Space();
  const seen: unknown[] = [];
  const apps = [1, 2, 3].map(() =>
    space
      .app()
      .onEvent("order.*", { useCase: "one" }, (_, { id, headers, time }) => void seen.push(["one", id, headers, time]))
      .onEvent("#", { useCase: "two" }, (_, { id, headers, time }) => void seen.push(["two", id, headers, time])),
  );
  await Promise.all(apps.map((app) => app.start()));
  const entry = await space.redis.xadd(
    space.key("inbox"),
    "*",
    "event",
    "order.paid",
    "payload",
    "{}",
    "tenant",
    "t-1",
    "ce_id",
    "its-own-id",
  );
  await until("both have it", () => seen.length >= 2);
  const time = new Date(Number.parseInt(entry ?? "", 10));
  const expected = ["one", "two"].map((useCase) => [useCase, "its-own-id", { tenant: "t-1" }, time]);
  expect(seen).toHaveLength(2);
  expect(seen).toEqual(expect.arrayContaining(expected));
  expect(await space.redis.xlen(space.key("inbox"))).toBe(0);
});

test("L5 an entry of the inbox without a name is logged and set aside, not dropped", async () => {
  const space = new Space();
  const errors: string[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (fields: unknown, message?: string) => void errors.push(`${JSON.stringify(fields)} ${message}`),
  };
  const app = space.app({ logger }).onEvent("#", { useCase: "uc" }, () => {});
  const entry = await space.redis.xadd(space.key("inbox"), "*", "payload", "{}", "evnt", "a.typo");
  await app.start();
  await until("it is set aside", async () => (await space.redis.xlen(space.key("inbox:refused"))) === 1);
  const [refused] = await space.redis.xrange(space.key("inbox:refused"), "-", "+");
  expect(refused?.[1]).toEqual(["payload", "{}", "evnt", "a.typo"]);
  expect(errors.join()).toContain(entry ?? "no entry");
  expect(await space.redis.xlen(space.key("inbox"))).toBe(0);
});
