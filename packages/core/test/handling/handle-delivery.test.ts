import { memory, virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it, vi } from "vitest";
import { type UseCase, useCase } from "../../src/index.ts";
import { FakeTransport, started, turns } from "../support.ts";

describe("one delivery, from its arrival to its settlement", () => {
  /** What becomes of an event that this use case is handed. */
  const outcome = async (log: UseCase, body = "{}") => {
    const transport = new FakeTransport();
    await started(transport, [log]);
    return transport.deliver("log", { name: "a", id: "1", body: Buffer.from(body) });
  };

  it("handled, with nothing to publish, it is acknowledged", async () => {
    expect(await outcome(useCase("log", { on: "#" }, () => {}))).toEqual({ kind: "done", outputs: [] });
    expect(await outcome(useCase("log", { on: "#" }, async () => []))).toEqual({ kind: "done", outputs: [] });
  });

  it("H4 what its handler returned travels in its settlement, named as its effect", async () => {
    const output = { name: "b", payload: 1, headers: { tenant: "t" } };
    expect(await outcome(useCase("log", { on: "#" }, async () => [output, output]))).toMatchObject({
      kind: "done",
      outputs: [1, 2].map(() => ({ name: "b", headers: { tenant: "t", papa_cause: "1" } })),
    });
  });

  it("H4 of several outputs one that is invalid keeps all from being published", async () => {
    const outputs = [
      { name: "b", payload: 1 },
      { name: "b.*", payload: 1 },
    ];
    expect(await outcome(useCase("log", { on: "#" }, () => outputs))).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "invalid-output" } },
    });
  });

  it("H5 a body that is no JSON is given up, and its handler is not called", async () => {
    let called = 0;
    expect(
      await outcome(
        useCase("log", { on: "#" }, () => void (called += 1)),
        "{",
      ),
    ).toMatchObject({
      kind: "dead",
      event: { headers: { papa_reason: "invalid-payload" } },
    });
    expect(called).toBe(0);
  });

  it("H7 outputs of a handler that had timed out are not published", async () => {
    const transport = new FakeTransport();
    const clock = virtualClock();
    transport.clock = clock;
    const end = Promise.withResolvers<void>();
    const settlements: string[] = [];
    transport.onSettle = async ({ kind }) => {
      settlements.push(kind);
      return "stored";
    };
    const slow = useCase("slow", { on: "#", timeout: "1s" }, async () => {
      await end.promise;
      return { name: "b", payload: 1 };
    });
    await started(transport, [slow]);
    void transport.deliver("slow", { name: "a" });
    await turns();
    await clock.advance("1s");
    end.resolve();
    await turns(20);
    expect([settlements, transport.calls]).toEqual([["retry"], []]);
  });
});

describe("L3 a delivery that is known to be lost", () => {
  it("is not begun, and not settled", async () => {
    const transport = new FakeTransport();
    let settled = 0;
    transport.onSettle = async () => {
      settled += 1;
      return "lost";
    };
    let called = 0;
    await started(transport, [useCase("log", { on: "#" }, () => void (called += 1))]);
    void transport.deliver("log", { name: "a" }, { lost: true });
    await turns();
    expect([called, settled]).toEqual([0, 0]);
  });

  it("does not hold up those behind it", async () => {
    const transport = new FakeTransport();
    const seen: string[] = [];
    await started(transport, [useCase("log", { on: "#", concurrency: 1 }, (_, { id }) => void seen.push(id))]);
    void transport.deliver("log", { name: "a", id: "lost" }, { lost: true });
    void transport.deliver("log", { name: "a", id: "also lost" }, { lost: true });
    await transport.deliver("log", { name: "a", id: "kept" });
    expect(seen).toEqual(["kept"]);
  });

  // Seen: 20 that ran at the cut became 40 that ran twice, the read-ahead of the dead channel among them.
  it("what was read ahead when the connection was cut is begun once, by its redelivery", async () => {
    const clock = virtualClock();
    const transport = memory({ clock });
    const gate = Promise.withResolvers<void>();
    const begun: unknown[] = [];
    const slow = useCase("slow", { on: "a", concurrency: 2 }, async (payload) => {
      begun.push(payload);
      await gate.promise;
    });
    const app = await started(transport, [slow]);
    await app.newEvents([1, 2, 3, 4].map((payload) => ({ name: "a", payload })));
    await vi.waitFor(async () => expect((await app.stats()).slow?.inFlight).toBe(4));
    transport.disconnect();
    transport.reconnect();
    gate.resolve();
    await clock.settled();
    const times = [1, 2, 3, 4].map((payload) => begun.filter((each) => each === payload).length);
    // Those that ran at the cut run again: at least once is what is promised.
    expect(times).toEqual([2, 2, 1, 1]);
  });
});
