import { describe, expect, it } from "vitest";
import { DeadLetter, PapaError, RetryAfter, useCase } from "../../src/index.ts";
import { FakeTransport, started } from "../support.ts";

const throwing = () => {
  throw new Error("hands off");
};
const revoked = Proxy.revocable({}, {});
revoked.revoke();

/** What becomes of an event whose handler throws. */
async function settlementOf(thrown: unknown, attempt = 1) {
  const transport = new FakeTransport();
  const fails = useCase("fails", { on: "#", concurrency: 1, retries: 1 }, () => {
    throw thrown;
  });
  await started(transport, [fails]);
  const settlement = await transport.deliver("fails", { name: "a" }, { attempt });
  // The place is free again: there is one.
  await transport.deliver("fails", { name: "b" });
  return settlement;
}

describe("T1 whatever a handler throws, its event is retried and then dead, and the next is handled", () => {
  it.each<[string, unknown]>([
    ["an error", new TypeError("x")],
    ["nothing", undefined],
    ["null", null],
    ["a text", "no"],
    ["a symbol", Symbol("no")],
    ["a function", () => {}],
    ["an object without a prototype", Object.create(null)],
    ["an object whose toJSON gives nothing", { toJSON: () => undefined }],
    ["an object whose toJSON throws", { toJSON: throwing }],
    ["a proxy that throws at everything", new Proxy({}, { get: throwing, getPrototypeOf: throwing, has: throwing })],
    ["an error behind such a proxy", new Proxy(new Error("x"), { get: throwing })],
    ["a revoked proxy", revoked.proxy],
    ["an error whose message throws", Object.defineProperty(new Error("x"), "message", { get: throwing })],
    ["an error whose stack throws", Object.defineProperty(new Error("x"), "stack", { get: throwing })],
    ["an error whose name is an object", Object.assign(new Error("x"), { name: Object.create(null) })],
    ["five megabytes", { text: "x".repeat(5_000_000) }],
    ["a lone surrogate", "\ud800"],
    ["an error of the library's", new PapaError("publish-timeout", "x", { eventName: "a", id: "1", timeout: 1 })],
  ])("%s", async (_, thrown) => {
    const retry = await settlementOf(thrown);
    expect(retry).toMatchObject({ kind: "retry", event: { headers: { papa_attempt: "2" } } });
    const dead = await settlementOf(thrown, 2);
    expect(dead).toMatchObject({ kind: "dead", event: { headers: { papa_reason: "retries-exhausted" } } });
    for (const settlement of [retry, dead]) {
      const headers = "event" in settlement ? Object.entries(settlement.event.headers) : [];
      expect(headers.every(([, value]) => typeof value === "string" && value.isWellFormed())).toBe(true);
      expect(Buffer.byteLength(headers.flat().join(""))).toBeLessThan(20_000);
    }
  });
});

describe("T5 signals", () => {
  it("DeadLetter skips what is left of the retries", async () => {
    expect(await settlementOf(new DeadLetter("the account is closed"))).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "rejected", papa_error_message: "the account is closed", papa_attempt: "1" } },
    });
  });

  it("RetryAfter sets the delay of this retry, and counts", async () => {
    expect(await settlementOf(new RetryAfter("2m"))).toMatchObject({ kind: "retry", delay: 120_000 });
    expect(await settlementOf(new RetryAfter("2m"), 2)).toMatchObject({ kind: "dead" });
  });

  it("those of another copy of the package do the same", async () => {
    const deadLetter = Object.assign(new Error("closed"), { [Symbol.for("papa-events.dead-letter")]: true });
    expect(await settlementOf(deadLetter)).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "rejected" } },
    });
    const retryAfter = Object.assign(new Error("busy"), {
      [Symbol.for("papa-events.retry-after")]: true,
      delay: 7_000,
    });
    expect(await settlementOf(retryAfter)).toMatchObject({ kind: "retry", delay: 7_000 });
  });

  // NaN would be a timer that fires at once, or never.
  it.each([undefined, Number.NaN, -1, "soon", Number.POSITIVE_INFINITY])(
    "a RetryAfter that was tampered with (%s) waits the fallback of 10 s",
    async (delay) => {
      const error = Object.assign(new Error("busy"), { [Symbol.for("papa-events.retry-after")]: true, delay });
      expect(await settlementOf(error)).toMatchObject({ kind: "retry", delay: 10_000 });
    },
  );

  it.each([
    ["throws", throwing],
    ["gives no duration", () => "soon"],
    ["is asynchronous", async () => 5],
  ])("T2 a retryDelay that %s makes its event wait 10 s", async (_, retryDelay) => {
    const transport = new FakeTransport();
    const fails = useCase("fails", { on: "#", retryDelay: retryDelay as never }, throwing);
    await started(transport, [fails]);
    expect(await transport.deliver("fails", { name: "a" })).toMatchObject({ kind: "retry", delay: 10_000 });
  });
});
