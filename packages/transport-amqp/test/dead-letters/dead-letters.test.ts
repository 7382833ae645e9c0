import { deadLetters, type PapaApp } from "@papa-events/core";
import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

async function withDeadLetters(
  space: Space,
  count: number,
  handler: (n: unknown) => void = () => {},
): Promise<PapaApp> {
  let failing = true;
  const app = space.app({ retries: 0 });
  app.onEvent("x", { useCase: "uc", concurrency: 1 }, (n) => {
    if (failing) throw new Error(`no ${n}`);
    handler(n);
  });
  await app.start();
  await app.newEvents(Array.from({ length: count }, (_, n) => ({ name: "x", payload: n, headers: { h: "1" } })));
  await until("all dead", async () => (await space.size("uc.dlq")) === count);
  failing = false;
  return app;
}

test("D2, D3 a hundred listings change nothing", { timeout: 120_000 }, async () => {
  const space = new Space();
  const app = await withDeadLetters(space, 60);
  const letters = app.deadLetters("uc");
  const before = await letters.list({ limit: 100 });
  expect(before.items.map(({ payload }) => payload)).toEqual(Array.from({ length: 60 }, (_, n) => 59 - n));
  for (let listing = 0; listing < 100; listing += 1) expect(await letters.list({ limit: 100 })).toEqual(before);
  expect(await letters.count()).toBe(60);
  expect((await letters.list({ order: "oldest", limit: 100 })).items).toEqual(before.items.toReversed());
});

test("D2 pages, one by id, redrive and purge of some and of all", async () => {
  const space = new Space();
  const handled: unknown[] = [];
  await withDeadLetters(space, 25, (n) => handled.push(n));
  await using letters = deadLetters(space.transport(), "uc");
  const pages: unknown[] = [];
  let after: string | undefined;
  do {
    const page = await letters.list({ limit: 10, after, order: "oldest" });
    pages.push(page.items.map(({ payload }) => payload));
    after = page.next;
  } while (after !== undefined);
  expect(pages.map((page) => (page as unknown[]).length)).toEqual([10, 10, 5]);
  expect(pages.flat()).toEqual(Array.from({ length: 25 }, (_, n) => n));
  const { items } = await letters.list({ order: "oldest" });
  const ids = items.map(({ id }) => id);
  expect(await letters.get(ids[7] ?? "")).toMatchObject({
    payload: 7,
    eventName: "x",
    useCase: "uc",
    reason: "retries-exhausted",
    attempts: 1,
    error: { name: "Error", message: "no 7" },
  });
  expect(await letters.get("nope")).toBeUndefined();
  expect(await letters.redrive([ids[3] ?? "", ids[4] ?? "", "nope"])).toBe(2);
  expect(await letters.redrive([ids[3] ?? ""])).toBe(0);
  await until("both handled", () => handled.length === 2);
  expect(handled).toEqual([3, 4]);
  expect(await letters.purge([ids[0] ?? ""])).toBe(1);
  expect(await letters.count()).toBe(22);
  // The page after one that has gone.
  const page = await letters.list({ limit: 3, order: "oldest" });
  await letters.purge([page.items[2]?.id ?? ""]);
  const next = await letters.list({ limit: 1, order: "oldest", after: page.next });
  expect(next.items[0]?.payload).toBe(6);
  expect(await letters.redrive("all")).toBe(21);
  await until("all handled", () => handled.length === 23);
  expect(await letters.count()).toBe(0);
});

test("D2 purge of all, and a use case that nobody has declared", async () => {
  const space = new Space();
  const app = await withDeadLetters(space, 10);
  expect(await app.deadLetters("uc").purge("all")).toBe(10);
  expect(await app.deadLetters("uc").count()).toBe(0);
  await using unknown = deadLetters(space.transport(), "nobody");
  await expect(unknown.count()).rejects.toMatchObject({ code: "unknown-use-case" });
  await expect(unknown.list()).rejects.toMatchObject({ code: "unknown-use-case" });
});

test("D3 several may list at once, and each sees everything", async () => {
  const space = new Space();
  const app = await withDeadLetters(space, 30);
  await using other = deadLetters(space.transport(), "uc");
  const lists = await Promise.all([1, 2, 3].flatMap(() => [app.deadLetters("uc").list(), other.list()]));
  for (const { items } of lists) expect(items).toHaveLength(30);
});

test("L8 a redrive makes a queue that is missing again, with its bindings", async () => {
  const space = new Space();
  const app = space.app({ retries: 0 });
  app.onEvent("x.*", { useCase: "uc" }, () => {
    throw new Error("no");
  });
  await app.start();
  await app.newEvent("x.y", 1);
  await until("the dead letter", async () => (await app.deadLetters("uc").count()) === 1);
  await app.stop();
  const channel = await space.channel();
  await channel.deleteQueue(space.name("uc"));
  const letters = deadLetters(space.transport(), "uc");
  expect(await letters.redrive("all")).toBe(1);
  await letters.close();
  channel.publish(space.name("domain_events"), "x.z", Buffer.from("2"));
  await until("both events", async () => (await space.size("uc")) === 2);
});
