import { describe, expect, it } from "vitest";
import { DeadLetter, PapaError, RetryAfter, useCase } from "../../src/index.ts";
import { GivenUp } from "../../src/outcome/given-up.ts";
import { forward, handledWith, type Outcome } from "../../src/outcome/outcome.ts";
import { type FailedEvent, FailurePolicy } from "../../src/retry/failure-policy.ts";
import { type EncodedEvent, EventReader, systemClock } from "../../src/transport.ts";
import { FakeTransport, silent, started } from "../support.ts";

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

// As mocks do, which have every member that is asked for.
describe("H8 what claims to be of the library's own kinds is stored all the same", () => {
  it("a proxy that answers everything with true, as a DeadLetter that cannot be read", async () => {
    expect(await settlementOf(new Proxy({}, { get: () => true }))).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "rejected", papa_attempt: "1" } },
    });
  });

  it("an error of ours whose code throws, as any other", async () => {
    const thrown = Object.defineProperty({ [Symbol.for("papa-events.error")]: true }, "code", { get: throwing });
    expect(await settlementOf(thrown)).toMatchObject({ kind: "retry" });
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

describe("deciding between a retry and a dead letter", () => {
  const clock = { ...systemClock, now: () => 7_000 };
  const policy = new FailurePolicy({
    useCase: "log",
    retries: 2,
    retryDelay: (attempt) => attempt * 1_000,
    headers: { maxBytes: 65_536, perHeader: 8 },
    clock,
  });

  const failed = (attempt = 1): FailedEvent => {
    const event = { name: "a", id: "1", time: 5, headers: {}, body: Buffer.from("{}") };
    return { reader: new EventReader(event, clock), body: event.body, attempt, logger: silent };
  };

  /** Kind, and what the stored event says. */
  const told = ({ settlement, error }: Outcome) => {
    const headers = "event" in settlement ? settlement.event.headers : {};
    return [settlement.kind, headers.papa_reason, headers.papa_attempt, headers.papa_error_message, error];
  };

  it.each([
    [1, "retry", "2", 1_000],
    [2, "retry", "3", 2_000],
    [3, "dead", "3", undefined],
    [1_000, "dead", "1000", undefined],
  ])("T1 with 2 retries a failed attempt %d makes a %s", (attempt, kind, noted, delay) => {
    const error = new Error("no");
    const outcome = policy.decide(failed(attempt), error);
    expect(told(outcome)).toEqual([kind, kind === "dead" ? "retries-exhausted" : undefined, noted, "no", error]);
    expect((outcome.settlement as { delay?: number }).delay).toBe(delay);
  });

  const why = new PapaError("invalid-payload", "refused", { eventName: "a", problems: [] });
  const output = new PapaError("invalid-output", "no name", { useCase: "log", problem: "no name" });
  it.each<[string, unknown, string, string, unknown]>([
    ["T5 a DeadLetter", new DeadLetter("closed"), "rejected", "closed", expect.any(DeadLetter)],
    ["H5 what was given up on the way", new GivenUp("invalid-payload", why), "invalid-payload", "refused", why],
    ["H4 an invalid output", output, "invalid-output", "no name", output],
  ])("%s is a dead letter at once, whatever retries are left", (_, thrown, reason, message, error) => {
    expect(told(policy.decide(failed(), thrown))).toEqual(["dead", reason, "1", message, error]);
  });

  it("any other error of the library's is a failure like any other", () => {
    const error = new PapaError("invalid-payload", "of another event that the handler published", {
      eventName: "b",
      problems: [],
    });
    expect(told(policy.decide(failed(), error)).slice(0, 2)).toEqual(["retry", undefined]);
  });

  it("L6 each dead letter has an id of its own", () => {
    const ids = [1, 2, 3].map(() => policy.dead(failed(), "rejected", new Error("no")).settlement);
    expect(new Set(ids.map((settlement) => settlement.kind === "dead" && settlement.id)).size).toBe(3);
  });

  describe("D5 in place of what the broker refuses for good", () => {
    const refusal = new Error("too large");

    it("outputs make a dead letter that tells of the refusal", () => {
      const instead = policy.instead(failed(), handledWith([{ name: "b" } as EncodedEvent]), refusal);
      expect(instead && told(instead)).toEqual(["dead", "invalid-output", "1", "too large", refusal]);
    });

    it("a retry makes a dead letter that tells of what the handler threw", () => {
      const error = new Error("no");
      const instead = policy.instead(failed(), policy.decide(failed(), error), refusal);
      expect(instead && told(instead)).toEqual(["dead", "retries-exhausted", "1", "no", error]);
    });

    it("a forward makes a dead letter that tells of the refusal", () => {
      const event = { name: "a", id: "1", time: 5, headers: {}, body: Buffer.from("{}") };
      const instead = policy.instead(failed(), forward(event, 100, undefined), refusal);
      expect(instead && told(instead)).toEqual(["dead", "unknown-event", "1", "too large", refusal]);
    });

    it("a dead letter gets smaller once, and keeps its id and its error", () => {
      const error = new Error("no");
      const letter = policy.dead(failed(), "rejected", error);
      const smaller = policy.instead(failed(), letter, refusal);
      if (smaller?.settlement.kind !== "dead" || letter.settlement.kind !== "dead") throw new Error("They are dead.");
      expect([smaller.settlement.id, smaller.error]).toEqual([letter.settlement.id, error]);
      expect(smaller.settlement.event.headers).not.toHaveProperty("papa_error_stack");
      expect(policy.instead(failed(), smaller, refusal)).toBeUndefined();
    });
  });
});
