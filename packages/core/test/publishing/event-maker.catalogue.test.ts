import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineEvents, PapaApp, typeOnly } from "../../src/index.ts";
import { FakeTransport, silent, slowly, started, turns } from "../support.ts";

const events = defineEvents({
  "user.created": z.object({ name: z.string().toUpperCase() }),
  "user.deleted": typeOnly<{ id: string }>(),
});

describe("publishing by a catalogue", () => {
  it("only what is in it, checked, and as given", async () => {
    const transport = new FakeTransport();
    const app = new PapaApp({ transport, logger: silent, events });
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
    const app = new PapaApp({ transport, logger: silent, events, validatePublished: false });
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
