import { describe, expect, it } from "vitest";
import { z } from "zod";
import { encodeOutputs } from "../../src/handler/encode-outputs.ts";
import { defineEvents, PapaError } from "../../src/index.ts";
import { EventMaker } from "../../src/publishing/event-maker.ts";
import { UnwantedEvents } from "../../src/publishing/unwanted-events.ts";
import type { Declarations } from "../../src/transport.ts";
import { contextOf, TestDelivery } from "../handling/support.ts";
import { silent, slowly } from "../support.ts";

const context = contextOf(new TestDelivery({ id: "cause", headers: { traceparent: "p" } }));
const throwing = (thrown: unknown) => ({
  "~standard": {
    version: 1 as const,
    vendor: "test",
    validate: () => {
      throw thrown;
    },
  },
});

const revoked = Proxy.revocable({}, {});
revoked.revoke();

const maker = new EventMaker({
  source: "app",
  maxPayloadBytes: 100,
  catalogue: defineEvents({
    a: z.object({ to: z.string() }),
    slow: slowly({ value: 1 }),
    refused: slowly({ issues: [{ message: "no" }] }),
    broken: throwing(new Error("a bug in the schema")),
    hostile: throwing(revoked.proxy),
  }),
  validate: true,
  now: () => 5,
});

describe("H4 what a handler returned, ready to be published", () => {
  it("is encoded in its order, asynchronous schemas waited for, as an effect of the event that was handled", async () => {
    const outputs = [
      { name: "slow", payload: 1 },
      { name: "a", payload: { to: "x" }, headers: { tenant: "t" } },
    ];
    const encoded = await encodeOutputs(outputs, maker, context);
    expect(encoded.map(({ name, text }) => [name, text])).toEqual([
      ["slow", "1"],
      ["a", '{"to":"x"}'],
    ]);
    for (const { headers } of encoded) expect(headers).toMatchObject({ papa_cause: "cause", traceparent: "p" });
    expect(encoded[1]?.headers.tenant).toBe("t");
  });

  // With `unwanted: "refuse"` the broker is asked about a name before it is published; it may be away.
  it("fails with what may pass, and not as an invalid output, where the maker fails for now", async () => {
    const away = new PapaError("connection-failed", "lost", { transport: "fake" }, { retryable: true });
    const declarations = { list: () => Promise.reject(away) } as unknown as Declarations;
    const asking = new EventMaker({
      source: "app",
      maxPayloadBytes: 100,
      catalogue: undefined,
      validate: true,
      unwanted: new UnwantedEvents({ declarations, unwanted: "refuse", logger: silent }),
      now: () => 5,
    });
    await expect(encodeOutputs([{ name: "a", payload: 1 }], asking, context)).rejects.toBe(away);
  });

  it.each([
    ["a bad name", { name: "a.*", payload: 1 }, 'the wildcard "*" belongs in a pattern'],
    ["what the catalogue lacks", { name: "b", payload: 1 }, '"b" is not in the app\'s catalogue'],
    ["what its schema refuses", { name: "a", payload: { to: 7 } }, 'The payload of "a" is refused by its schema: to: '],
    ["what its schema refuses later", { name: "refused", payload: 1 }, "refused by its schema: no"],
    ["a schema that throws", { name: "broken", payload: 1 }, "a bug in the schema"],
    ["a schema that throws what cannot be read", { name: "hostile", payload: 1 }, "the thrown value cannot be read"],
    ["a payload that JSON cannot carry", { name: "a", payload: { to: "x", n: 1n } }, "serialize a BigInt"],
    ["a payload too large", { name: "slow", payload: "x".repeat(100) }, "100 are allowed"],
    ["a reserved header", { name: "slow", payload: 1, headers: { ce_id: "x" } }, 'Header "ce_id"'],
  ])("%s among it is an invalid output, with why", async (_, output, problem) => {
    const encoding = encodeOutputs([{ name: "slow", payload: 1 }, output], maker, context);
    await expect(encoding).rejects.toMatchObject({
      code: "invalid-output",
      message: expect.stringContaining(problem),
      details: { useCase: "log", problem: expect.stringContaining(problem) },
    });
  });
});
