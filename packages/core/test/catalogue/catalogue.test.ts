import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineEvents, PapaApp, typeOnly, useCase } from "../../src/index.ts";
import { FakeTransport, slowly, started, thrownBy, turns } from "../support.ts";

const events = defineEvents({
  "user.created": z.object({ name: z.string().toUpperCase() }),
  "user.deleted": typeOnly<{ id: string }>(),
});

describe("defineEvents", () => {
  it("gives the record as it got it", () => {
    const record = { a: z.string() };
    expect(defineEvents(record)).toBe(record);
  });

  it.each<[unknown, string, string]>([
    [{ "user..created": z.string() }, "invalid-event-name", '"user..created" is no event name'],
    [{ "user.*": z.string() }, "invalid-event-name", 'the wildcard "*" belongs into a pattern'],
    [
      { a: "string" },
      "invalid-option",
      'defineEvents: "a": this is no Standard Schema, such as one of zod 3.24 or newer.',
    ],
    [undefined, "invalid-option", "defineEvents: a schema by event name is needed"],
  ])("refuses %j", (given, code, message) => {
    const error = thrownBy(() => defineEvents(given as never));
    expect(error).toMatchObject({ code });
    expect(error).toHaveProperty("message", expect.stringContaining(message));
  });

  it("an app refuses a record that never went through it", () => {
    expect(() => new PapaApp({ transport: new FakeTransport(), events: { a: {} } as never })).toThrow(
      'PapaApp: events: "a": this is no Standard Schema',
    );
  });
});

describe("publishing by a catalogue", () => {
  it("only what is in it, checked, and as given", async () => {
    const transport = new FakeTransport();
    const app = new PapaApp({ transport, events });
    await app.start();
    await app.newEvent("user.created", { name: "Ana" });
    await app.newEvent("user.deleted", { id: 7 as never });
    expect(transport.calls.flat().map(({ body }) => Buffer.from(body).toString())).toEqual([
      '{"name":"Ana"}',
      '{"id":7}',
    ]);
    await expect(app.newEvent("user.created", { name: 7 as never })).rejects.toMatchObject({
      code: "invalid-payload",
      message: expect.stringMatching(/^The payload of "user.created" is refused by its schema: name: /),
    });
    await expect(app.newEvent("user.renamed" as never, {} as never)).rejects.toMatchObject({
      code: "unknown-event",
      message: '"user.renamed" is not in the app\'s catalogue; it has "user.created", "user.deleted".',
    });
    await expect(app.newEvent("order.placed" as never, {} as never)).rejects.toThrow(
      '"order.placed" is not in the app\'s catalogue.',
    );
    await expect(app.newEvent("toString" as never, {} as never)).rejects.toMatchObject({ code: "unknown-event" });
    await app.stop();
    expect(transport.calls.flat()).toHaveLength(2);
  });

  it("validatePublished: false checks names and not payloads", async () => {
    const transport = new FakeTransport();
    const app = new PapaApp({ transport, events, validatePublished: false });
    await app.start();
    await app.newEvent("user.created", { name: 7 as never });
    await expect(app.newEvent("user.renamed" as never, {} as never)).rejects.toMatchObject({ code: "unknown-event" });
    await app.stop();
  });

  it("an asynchronous schema is waited for; the payload is the one of the call", async () => {
    const transport = new FakeTransport();
    const app = await started(transport, [], {
      events: { a: slowly({ value: 1 }), b: slowly({ issues: [{ message: "no" }] }) } as never,
    });
    const payload = { step: 1 };
    const published = app.newEvent("a", payload);
    payload.step = 2;
    await published;
    expect(Buffer.from(transport.calls[0]?.[0]?.body ?? []).toString()).toBe('{"step":1}');
    await expect(app.newEvent("b", 1)).rejects.toMatchObject({
      code: "invalid-payload",
      details: { problems: ["no"] },
    });
    await turns();
  });
});

describe("handling by a catalogue", () => {
  it.each(["user.renamed", "constructor", "__proto__", "toString", "hasOwnProperty"])(
    "%s matches a pattern, is not in it, and becomes a dead letter",
    async (name) => {
      const transport = new FakeTransport();
      await started(transport, [useCase("log", { on: "#" }, () => {})], { events: events as never });
      expect(await transport.deliver("log", { name })).toMatchObject({
        kind: "dead",
        event: {
          headers: {
            papa_reason: "unknown-event",
            papa_error_message: `"${name}" matches a pattern of "log" and is not in the app's catalogue; add it there, or give the use case a schema of its own.`,
          },
        },
      });
    },
  );

  it("a schema of the use case's own sets it aside", async () => {
    const transport = new FakeTransport();
    const seen: unknown[] = [];
    const audit = useCase("audit", { on: "#", schema: z.unknown() }, (payload) => void seen.push(payload));
    await started(transport, [audit], { events: events as never });
    await transport.deliver("audit", { name: "constructor", body: Buffer.from("1") });
    await transport.deliver("audit", { name: "user.created", body: Buffer.from("2") });
    expect(seen).toEqual([1, 2]);
  });

  it("a dead letter tells at most twenty of a schema's issues", async () => {
    const transport = new FakeTransport();
    const list = useCase("list", { on: "#", schema: z.array(z.string()) }, () => {});
    await started(transport, [list]);
    const body = Buffer.from(JSON.stringify(Array.from({ length: 800 }, () => 1)));
    const settlement = await transport.deliver("list", { name: "a", body });
    const message = settlement.kind === "dead" ? settlement.event.headers.papa_error_message : "";
    expect(message).toContain("; 19: ");
    expect(message).toContain("; and 780 more.");
    expect(message).not.toContain("; 20: ");
  });

  it("a schema that throws is a failure of the use case, and is retried", async () => {
    const transport = new FakeTransport();
    const validate = () => {
      throw new Error("a bug in the schema");
    };
    const schema = { "~standard": { version: 1, vendor: "test", validate } } as const;
    await started(transport, [useCase("log", { on: "#", schema }, () => {})]);
    expect(await transport.deliver("log", { name: "a" })).toMatchObject({
      kind: "retry",
      event: { headers: { papa_error_message: "a bug in the schema" } },
    });
  });
});
