import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineEvents, typeOnly, useCase } from "../../src/index.ts";
import { FakeTransport, started } from "../support.ts";

const events = defineEvents({
  "user.created": z.object({ name: z.string().toUpperCase() }),
  "user.deleted": typeOnly<{ id: string }>(),
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
            papa_error_message: `"${name}" came to "log" and is not in the app's catalogue; add it there, or give the use case a schema of its own.`,
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
