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
