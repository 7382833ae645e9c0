import { describe, expect, it } from "vitest";
import { z } from "zod";
import { currentEvent, isPapaError, type OutputEvent, useCase } from "../../src/index.ts";
import { FakeTransport, silent, started } from "../support.ts";

const User = z.object({ name: z.string().trim(), age: z.coerce.number() });

describe("a use case as a value", () => {
  it("is shared unchanged by several apps", async () => {
    const seen: unknown[] = [];
    const log = useCase("log", { on: "#" }, (payload) => void seen.push(payload));
    for (const body of ["1", "2"]) {
      const transport = new FakeTransport();
      await started(transport, [log]);
      await transport.deliver("log", { name: "a", body: Buffer.from(body) });
    }
    expect(seen).toEqual([1, 2]);
    expect([log.name, log.patterns]).toEqual(["log", ["#"]]);
  });

  it("use() takes them one by one and in lists", async () => {
    const transport = new FakeTransport();
    const cases = ["a", "b", "c"].map((name) => useCase(name, { on: "#" }, () => {}));
    const [a, ...others] = cases;
    if (a === undefined) throw new Error("There are three.");
    const app = await started(transport, []);
    await app.stop();
    const { PapaApp } = await import("../../src/index.ts");
    await using all = new PapaApp({ transport, logger: silent }).use(a, others);
    await all.start();
    expect(Object.keys(await all.stats())).toEqual(["a", "b", "c"]);
  });
});

describe("handle() tests a use case without an app", () => {
  it("runs schema, wraps and handler, and gives the events to be published", async () => {
    const steps: string[] = [];
    const welcome = useCase(
      "welcome",
      {
        on: "user.created",
        schema: User,
        wrap: async (ctx, next) => {
          steps.push(`wrap ${ctx.eventName} ${String((ctx.payload as { age: number }).age)}`);
          return next();
        },
      },
      async (user, ctx) => {
        steps.push(`handler ${user.name} ${user.age} ${String(user === ctx.payload)}`);
        return [{ name: "email.sent", payload: { to: user.name } }];
      },
    );
    const outputs = await welcome.handle({ name: " Ana ", age: "21" });
    expect(steps).toEqual(["wrap user.created 21", "handler Ana 21 true"]);
    expect(outputs).toEqual([{ name: "email.sent", payload: { to: "Ana" } }]);
  });

  it("gives nothing for nothing, and a list for one event", async () => {
    expect(await useCase("a", { on: "a" }, () => {}).handle(1)).toEqual([]);
    expect(await useCase("a", { on: "a" }, () => ({ name: "b", payload: null })).handle(1)).toEqual([
      { name: "b", payload: null },
    ]);
  });

  it("the context has what is given, and defaults for the rest", async () => {
    const seen: unknown[] = [];
    const log = useCase("log", { on: ["user.*", "#"] }, (_, ctx) => {
      const { eventName, payload, id, time, attempt, useCase: name, headers, signal } = ctx;
      seen.push({ eventName, payload, id, time, attempt, name, headers, aborted: signal.aborted });
      seen.push(currentEvent() === ctx);
    });
    await log.handle("p", {
      eventName: "user.created",
      id: "1",
      time: new Date(0),
      attempt: 3,
      headers: { tenant: "a" },
    });
    expect(seen).toEqual([
      {
        eventName: "user.created",
        payload: "p",
        id: "1",
        time: new Date(0),
        attempt: 3,
        name: "log",
        headers: { tenant: "a" },
        aborted: false,
      },
      true,
    ]);
    await log.handle("p");
    expect(seen[2]).toMatchObject({
      eventName: "user.*",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      attempt: 1,
      headers: {},
    });
    expect(currentEvent()).toBeUndefined();
  });

  it("H5 rejects what the schema refuses, and does not call the handler", async () => {
    let called = false;
    const welcome = useCase("welcome", { on: "a", schema: User }, () => {
      called = true;
    });
    const error: unknown = await welcome.handle({ name: 1 } as never).catch((thrown: unknown) => thrown);
    if (!isPapaError(error, "invalid-payload")) throw error;
    expect(error.details.problems).toHaveLength(2);
    expect(error.message).toMatch(/^The payload of "a" is refused: name: .*; age: .*\.$/);
    expect(called).toBe(false);
  });

  it.each<[string, unknown, string]>([
    ["a text", "done", "a string is not a valid event; return nothing, one event { name, payload }, or a list of them"],
    ["true", true, "a boolean is not a valid event; return nothing, one event { name, payload }, or a list of them"],
    ["null", null, "null is not a valid event; return nothing, one event { name, payload }, or a list of them"],
    ["an object without a name", { ok: 1 }, "an object without a name is not a valid event; return nothing"],
    ["a bad name", { name: "a..b", payload: 1 }, '"a..b" is not a valid event name: it has an empty word'],
    ["a wildcard", { name: "a.*", payload: 1 }, 'the wildcard "*" belongs in a pattern'],
    ["a missing payload", { name: "a" }, 'the event "a" has no payload; null is one'],
    ["a payload that is no JSON", { name: "a", payload: { n: 1n } }, 'The payload of "a" cannot be written as JSON'],
    ["bad headers", { name: "a", payload: 1, headers: { ce_id: "x" } }, 'Header "ce_id": the name is reserved'],
    [
      "another member",
      { name: "a", payload: 1, header: {} },
      'the event "a" has a member "header"; an event has name, payload, headers',
    ],
    ["a list with a bad one", [{ name: "a", payload: 1 }, 7], "a number is not a valid event"],
  ])("H4 rejects %s as an output", async (_, returned, problem) => {
    const error = await useCase("log", { on: "a" }, () => returned as OutputEvent)
      .handle(1)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "invalid-output", details: { useCase: "log" } });
    expect(error).toHaveProperty(
      "message",
      expect.stringContaining('What the handler of "log" returned cannot be published: '),
    );
    expect(error).toHaveProperty("message", expect.stringContaining(problem));
  });

  it("rejects with what the handler throws", async () => {
    const error = new Error("no");
    const fails = useCase("log", { on: "a" }, () => {
      throw error;
    });
    await expect(fails.handle(1)).rejects.toBe(error);
  });
});
