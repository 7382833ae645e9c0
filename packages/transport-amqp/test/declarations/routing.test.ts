import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

test("R1, R2, R5 a use case gets each matching event once, whoever publishes it, and none of the others", async () => {
  const space = new Space();
  const got: string[] = [];
  const app = space.app();
  app.onEvent(["user.*", "user.created", "#.eu"], { useCase: "uc" }, (_, ctx) => void got.push(ctx.eventName));
  await app.start();
  const publisher = space.app();
  await publisher.start();
  for (const name of ["user", "user.created", "order.created", "order.eu", "user.x.y", "eu", "end.eu"])
    await publisher.newEvent(name, {});
  await until("the last event", () => got.includes("end.eu"));
  expect(got).toEqual(["user.created", "order.eu", "eu", "end.eu"]);
});

test("R1 events wait for a use case while no instance of it runs", async () => {
  const space = new Space();
  const first = space.app().onEvent("a.b", { useCase: "uc" }, () => {});
  await first.start();
  await first.stop();
  const publisher = space.app();
  await publisher.start();
  await publisher.newEvents(Array.from({ length: 50 }, (_, n) => ({ name: "a.b", payload: n })));
  const got: unknown[] = [];
  const second = space.app().onEvent("a.b", { useCase: "uc" }, (n) => void got.push(n));
  await second.start();
  await until("all of them", () => got.length === 50);
  expect(new Set(got)).toEqual(new Set(Array.from({ length: 50 }, (_, n) => n)));
});

test("R3 a failing use case is invisible to the others, also to one bound with #", async () => {
  const space = new Space();
  const seen: string[] = [];
  const app = space.app({ retries: 2, retryDelay: 100 });
  app.onEvent("x.y", { useCase: "a" }, (_, ctx) => {
    seen.push(`a${ctx.attempt}`);
    throw new Error("no");
  });
  app.onEvent("#", { useCase: "b" }, (_, ctx) => void seen.push(`b ${ctx.eventName}`));
  await app.start();
  await app.newEvent("x.y", {});
  await until("the dead letter", async () => (await app.deadLetters("a").count()) === 1);
  expect(seen.filter((each) => each.startsWith("b"))).toEqual(["b x.y"]);
  expect(seen.filter((each) => each.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
});

test("R4 an event merely called like a use case is not handled by it", async () => {
  const space = new Space("");
  const name = `uc-${Date.now().toString(36)}`;
  space.cleans.push(name);
  const got: string[] = [];
  const app = space.app().onEvent("real.event", { useCase: name }, (_, ctx) => void got.push(ctx.eventName));
  await app.start();
  await app.newEvent(name, {});
  await app.newEvent("real.event", {});
  await until("the real event", () => got.length > 0);
  await until("an empty queue", async () => (await app.stats())[name]?.inFlight === 0);
  expect(got).toEqual(["real.event"]);
  expect(await space.size(`${name}.dlq`)).toBe(0);
});

test("R4 a pattern with more # than RabbitMQ 4.3 binds gets what it matches and nothing else", async () => {
  const space = new Space();
  const got: string[] = [];
  const app = space.app();
  app.onEvent("#.a.#.b.#.c.#", { useCase: "uc" }, (_, ctx) => void got.push(ctx.eventName));
  await app.start();
  for (const name of ["x.a.x", "a.c", "a.b.c", "x.a.x.b.x.c.x", "a.b", "a.c.b.c"]) await app.newEvent(name, {});
  await until("an empty queue", async () => (await space.size("uc")) === 0 && got.length === 3);
  expect(got.sort()).toEqual(["a.b.c", "a.c.b.c", "x.a.x.b.x.c.x"]);
  const connection = await space.connect();
  await until("nothing is unsettled", async () => (await app.stats()).uc?.inFlight === 0);
  expect((await app.stats()).uc).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  // It goes with the last pattern that needs its key.
  await connection.declarations.withdraw("uc", ["#.a.#.b.#.c.#"], 0);
  await app.newEvent("a.b.c", {});
  expect(await space.size("uc")).toBe(0);
});
