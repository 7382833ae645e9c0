import { typeOnly } from "@papa-events/core";
import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { json } from "../support/original.ts";
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
  // Each takes a look at what is declared, which they share.
  await app.newEvents(Array.from({ length: 2_000 }, () => ({ name, payload: 1 })));
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

test("L5 an event through an exchange that others bind to ours keeps its routing key as its name", async () => {
  const space = new Space();
  const got: string[] = [];
  const app = space.app().onEvent("sensor.#", { useCase: "uc", retries: 1, retryDelay: 100 }, (_, ctx) => {
    got.push(`${ctx.eventName} ${ctx.attempt}`);
    if (ctx.attempt === 1) throw new Error("once");
  });
  await app.start();
  const channel = await space.channel();
  const bridge = space.name("bridge");
  await channel.assertExchange(bridge, "topic", { autoDelete: true });
  await channel.bindExchange(space.name("domain_events"), bridge, "sensor.#");
  channel.publish(bridge, "sensor.one.temperature", Buffer.from("21"));
  await until("both attempts", () => got.length === 2);
  expect(got).toEqual(["sensor.one.temperature 1", "sensor.one.temperature 2"]);
  await channel.deleteExchange(bridge);
});

test("L5 a message put straight into a use case's queue is named by its type, its header or the only literal pattern", async () => {
  const space = new Space();
  const got: unknown[] = [];
  const app = space.app();
  for (const [useCase, patterns] of [
    ["a", ["user.made", "user.*"]],
    ["b", ["user.made", "user.gone"]],
  ] as const)
    app.onEvent([...patterns], { useCase }, (payload, ctx) => void got.push([useCase, payload, ctx.eventName]));
  await app.start();
  const channel = await space.channel();
  const put = (useCase: string, payload: number, options: object) =>
    channel.publish("", space.name(useCase), Buffer.from(String(payload)), options);
  put("a", 1, {});
  put("a", 2, { type: "user.gone" });
  put("b", 3, { type: "user.gone" });
  put("b", 4, { type: "ignored", headers: { ce_type: "user.made" } });
  await until("all of them", () => got.length === 4);
  expect(got.sort()).toEqual([
    ["a", 1, "user.made"],
    ["a", 2, "user.gone"],
    ["b", 3, "user.gone"],
    ["b", 4, "user.made"],
  ]);
});

test("L5 a message put straight into a use case's queue is handled, whatever it is called and the patterns are", async () => {
  const space = new Space();
  const got: unknown[] = [];
  const app = space.app({ retries: 1, retryDelay: 100 });
  for (const [useCase, patterns] of [
    ["a", ["user.*", "order.#"]],
    ["b", ["user.made", "user.gone"]],
  ] as const)
    app.onEvent([...patterns], { useCase }, (payload, { eventName, attempt }) => {
      got.push([useCase, payload, eventName, attempt]);
      if (payload === 3) throw new Error("no");
    });
  await app.start();
  const channel = await space.channel();
  const put = (useCase: string, payload: number, options: object) =>
    channel.publish("", space.name(useCase), json(payload), options);
  put("a", 1, {});
  put("a", 2, { type: "invoice.paid" });
  put("b", 3, {});
  await until("all of them", () => got.length === 4);
  expect(got.sort()).toEqual([
    ["a", 1, "a", 1],
    ["a", 2, "invoice.paid", 1],
    ["b", 3, "b", 1],
    ["b", 3, "b", 2],
  ]);
  // It goes back to where it came from, as often as somebody says so.
  const letters = app.deadLetters("b");
  for (let times = 1; times <= 2; times += 1) {
    await until("the dead letter", async () => (await letters.count()) === 1);
    expect((await letters.list()).items).toMatchObject([{ eventName: "b", reason: "retries-exhausted", attempts: 2 }]);
    expect(await letters.redrive("all")).toBe(1);
    await until("both attempts", () => got.length === 4 + 2 * times);
  }
});

test("L5 a message put into a queue that no handler can be chosen for is a dead letter that says what to do", async () => {
  const space = new Space();
  const events = { "user.made": typeOnly<number>(), "user.gone": typeOnly<number>() };
  const app = space.app({ events } as object);
  app.onEvent("user.*", { useCase: "uc" }, () => {});
  await app.start();
  const channel = await space.channel();
  channel.publish("", space.name("uc"), json(1));
  const letters = app.deadLetters("uc");
  await until("the dead letter", async () => (await letters.count()) === 1);
  expect((await letters.list()).items).toMatchObject([
    { eventName: "uc", reason: "unknown-event", error: { message: expect.stringContaining("a schema of its own") } },
  ]);
});

test("L5 an event with no name at all is a dead letter where a pattern matches it, and is handled when redriven", async () => {
  const space = new Space();
  const got: unknown[] = [];
  const app = space
    .app()
    .onEvent("#", { useCase: "uc" }, (payload, { eventName }) => void got.push([payload, eventName]));
  await app.start();
  const channel = await space.channel();
  channel.publish(space.name("domain_events"), "", json(1));
  const letters = app.deadLetters("uc");
  await until("the dead letter", async () => (await letters.count()) === 1);
  expect((await letters.list()).items).toMatchObject([
    { reason: "unknown-event", error: { message: "The event has no name." } },
  ]);
  expect(await letters.redrive("all")).toBe(1);
  await until("it is handled", () => got.length === 1);
  expect(got).toEqual([[1, "uc"]]);
});
