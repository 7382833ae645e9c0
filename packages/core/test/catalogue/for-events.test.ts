import { memory, virtualClock } from "@papa-events/transport-memory";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineEvents, forEvents, typeOnly } from "../../src/index.ts";
import { started } from "../support.ts";

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
