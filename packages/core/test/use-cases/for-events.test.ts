import { memory, virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it, test } from "vitest";
import { z } from "zod";
import { defineEvents, forEvents, typeOnly } from "../../src/index.ts";
import { FakeTransport, started } from "../support.ts";

const events = defineEvents({
  "user.created": z.object({ name: z.string(), age: z.string().transform(Number) }),
  "user.deleted": typeOnly<{ id: string }>(),
  "email.sent": z.object({ to: z.string() }),
});
const { useCase, event } = forEvents(events);

test("event makes an output event, with headers where there are any", () => {
  expect(event("email.sent", { to: "a" })).toEqual({ name: "email.sent", payload: { to: "a" } });
  expect(event("email.sent", { to: "a" }, { headers: { tenant: "t" } })).toEqual({
    name: "email.sent",
    payload: { to: "a" },
    headers: { tenant: "t" },
  });
  expect(event("email.sent", { to: "a" }, {})).toEqual({ name: "email.sent", payload: { to: "a" } });
});

test("H5 a use case is handed what the catalogue's schema puts out, also when it is called without an app", async () => {
  const seen: unknown[] = [];
  const welcome = useCase("welcome", { on: "user.created" }, (user) => {
    seen.push(user);
    return event("email.sent", { to: user.name });
  });
  expect(welcome.name).toBe("welcome");
  expect(welcome.patterns).toEqual(["user.created"]);
  expect(await welcome.handle({ name: "carlos", age: "21" })).toEqual([
    { name: "email.sent", payload: { to: "carlos" } },
  ]);
  expect(seen).toEqual([{ name: "carlos", age: 21 }]);
  await expect(welcome.handle({ name: "carlos", age: 21 as unknown as string })).rejects.toMatchObject({
    code: "invalid-payload",
    details: { problems: [expect.stringContaining("age")] },
  });
});

test("H5 a use case keeps its catalogue in an app that has none; what is not in it becomes a dead letter", async () => {
  const seen: unknown[] = [];
  const log = useCase("log", { on: "user.*", retries: 0 }, (user, ctx) => {
    seen.push([ctx.eventName, user]);
  });
  const all: string[] = [];
  const audit = useCase("audit", { on: "#", schema: z.unknown() }, (_payload, ctx) => {
    all.push(ctx.eventName);
  });
  const clock = virtualClock();
  const app = await started(memory({ clock }), [log, audit]);
  await app.newEvent("user.created", { name: "carlos", age: "21" });
  await app.newEvent("user.deleted", { id: "1" });
  await app.newEvent("user.created", { name: "carlos" });
  await app.newEvent("user.renamed", {});
  await clock.settled();
  expect(seen).toEqual([
    ["user.created", { name: "carlos", age: 21 }],
    ["user.deleted", { id: "1" }],
  ]);
  const { items } = await app.deadLetters("log").list({ order: "oldest" });
  expect(items.map(({ eventName, reason }) => [eventName, reason])).toEqual([
    ["user.created", "invalid-payload"],
    ["user.renamed", "unknown-event"],
  ]);
  // Its own schema sets the catalogue aside: every event goes through it.
  expect(all).toEqual(["user.created", "user.deleted", "user.created", "user.renamed"]);
});

describe("use cases of a catalogue", () => {
  const User = z.object({ name: z.string().trim(), age: z.coerce.number() });
  const typed = forEvents(defineEvents({ "user.created": User, "email.sent": z.object({ to: z.string() }) }));

  it("checks payloads and outputs by its catalogue, in any app", async () => {
    const transport = new FakeTransport();
    const seen: unknown[] = [];
    const welcome = typed.useCase("welcome", { on: "user.*" }, (user) => {
      seen.push(user);
      return typed.event("email.sent", { to: user.name }, { headers: { tenant: "a" } });
    });
    await started(transport, [welcome]);
    const good = await transport.deliver("welcome", {
      name: "user.created",
      body: Buffer.from('{"name": " Ana ", "age": "2"}'),
    });
    expect(seen).toEqual([{ name: "Ana", age: 2 }]);
    expect(good).toMatchObject({ kind: "done", outputs: [{ name: "email.sent", headers: { tenant: "a" } }] });
    const bad = await transport.deliver("welcome", { name: "user.created", body: Buffer.from("{}") });
    expect(bad).toMatchObject({ kind: "dead", event: { headers: { papa_reason: "invalid-payload" } } });
    const unknown = await transport.deliver("welcome", { name: "user.deleted" });
    expect(unknown).toMatchObject({ kind: "dead", event: { headers: { papa_reason: "unknown-event" } } });
  });

  it("handle() needs to know which event it is where the pattern leaves it open", async () => {
    const log = typed.useCase("log", { on: "user.*" }, () => {});
    await expect(log.handle({ name: "Ana", age: 1 })).rejects.toMatchObject({
      code: "unknown-event",
      message: '"user.*" is not in the catalogue of "log"; say which event it is: handle(payload, { eventName }).',
    });
    await log.handle({ name: "Ana", age: 1 }, { eventName: "user.created" });
  });

  it("handle() refuses outputs that the catalogue refuses", async () => {
    const log = typed.useCase("log", { on: "user.created" }, () => ({
      name: "email.sent",
      payload: { to: 7 as never },
    }));
    await expect(log.handle({ name: "Ana", age: 1 })).rejects.toMatchObject({ code: "invalid-output" });
  });

  it.each([undefined, null, { "a..b": User }, { a: {} }])("refuses the catalogue %j", (given) => {
    expect(() => forEvents(given as never)).toThrow(/forEvents|not a valid event name/);
  });
});
