import { describe, expect, it } from "vitest";
import { PapaError, useCase } from "../../src/index.ts";
import type { EncodedEvent } from "../../src/transport.ts";
import { FakeTransport, started, turns } from "../support.ts";

const busy = new PapaError("connection-failed", "busy", { transport: "fake" }, { retryable: true });
const refused = new PapaError("access-refused", "no permission", { transport: "fake" });
const ids = (events: readonly EncodedEvent[]) => events.map(({ id }) => id);

describe("P1 a publish is resolved by its confirmation alone", () => {
  it("not before it", async () => {
    const transport = new FakeTransport();
    const calls = transport.holdPublishes();
    const app = await started(transport);
    const resolved: string[] = [];
    void app.newEvent("a", 1, { id: "1" }).then(({ id }) => resolved.push(id));
    await turns();
    expect(resolved).toEqual([]);
    calls[0]?.end([]);
    await turns();
    expect(resolved).toEqual(["1"]);
  });

  it("events of one turn go in one call, in their order", async () => {
    const transport = new FakeTransport();
    const app = await started(transport);
    await Promise.all(["1", "2", "3"].map((id) => app.newEvent("a", id, { id })));
    expect(transport.calls.map(ids)).toEqual([["1", "2", "3"]]);
  });

  it("what the broker refuses for good is rejected with that, its neighbours are confirmed", async () => {
    const transport = new FakeTransport();
    transport.onPublish = async () => [{ index: 1, error: refused }];
    const app = await started(transport);
    const results = await Promise.allSettled(["1", "2", "3"].map((id) => app.newEvent("a", id, { id })));
    expect(results.map((each) => (each.status === "fulfilled" ? each.value.id : each.reason))).toEqual([
      "1",
      refused,
      "3",
    ]);
    expect(transport.calls).toHaveLength(1);
  });

  it("a transport that throws, which it must not, leaves no publish hanging", async () => {
    const transport = new FakeTransport();
    transport.onPublish = () => {
      throw new Error("a bug");
    };
    const app = await started(transport);
    await expect(app.newEvent("a", 1)).rejects.toThrow("a bug");
    transport.onPublish = async () => Promise.reject("a text");
    await expect(app.newEvent("a", 1)).rejects.toThrow("a text");
  });
});

describe("P2 a publish goes on where its connection ended", () => {
  it("what was in flight when the connection dropped is sent again after the reconnect, same ids, in order", async () => {
    const transport = new FakeTransport();
    const calls = transport.holdPublishes();
    const app = await started(transport);
    const published = ["1", "2"].map((id) => app.newEvent("a", id, { id }));
    await turns();
    transport.setConnected(false);
    published.push(app.newEvent("a", "3", { id: "3" }));
    calls[0]?.end([0, 1].map((index) => ({ index, error: busy })));
    await turns();
    expect(calls).toHaveLength(1);
    transport.setConnected(true);
    await turns();
    expect(calls.map(({ events }) => ids(events))).toEqual([
      ["1", "2"],
      ["1", "2", "3"],
    ]);
    calls[1]?.end([]);
    expect(await Promise.all(published)).toEqual([{ id: "1" }, { id: "2" }, { id: "3" }]);
  });

  it("what the broker does not take for now is sent again by itself, and only that", async () => {
    const transport = new FakeTransport();
    let times = 0;
    transport.onPublish = async () => (times++ < 2 ? [{ index: 0, error: busy }] : []);
    const app = await started(transport);
    await Promise.all(["1", "2"].map((id) => app.newEvent("a", id, { id })));
    expect(transport.calls.map(ids)).toEqual([["1", "2"], ["1"], ["1"]]);
  });

  it("at publishTimeout an unconfirmed publish rejects, retryable, with the id to publish it again by", async () => {
    const transport = new FakeTransport();
    const calls = transport.holdPublishes();
    const app = await started(transport, [], { publishTimeout: "40ms" });
    const failure = await app.newEvent("order.placed", 1, { id: "order-17" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "publish-timeout",
      message:
        '"order.placed" was not published within 40 ms: the broker did not confirm it. Publishing it again with id "order-17" is safe.',
      details: { eventName: "order.placed", id: "order-17", timeout: 40 },
      retryable: true,
    });
    // The call goes on, and so does the next publish once it has ended.
    calls[0]?.end([]);
    const again = app.newEvent("order.placed", 1, { id: "order-17" });
    await turns();
    calls[1]?.end([]);
    await expect(again).resolves.toEqual({ id: "order-17" });
  });

  it("at publishTimeout it says what the broker has refused it with so far", async () => {
    const transport = new FakeTransport();
    const full = new PapaError("connection-failed", "the broker is full", { transport: "fake" }, { retryable: true });
    transport.onPublish = async () => [{ index: 0, error: full }];
    const app = await started(transport, [], { publishTimeout: "40ms" });
    await expect(app.newEvent("a", 1, { id: "1" })).rejects.toMatchObject({
      code: "publish-timeout",
      message:
        '"a" was not published within 40 ms: the broker did not take it (the broker is full). Publishing it again with id "1" is safe.',
      cause: full,
    });
  });

  it("what timed out while it waited is never sent", async () => {
    const transport = new FakeTransport();
    const app = await started(transport, [], { publishTimeout: "40ms" });
    transport.setConnected(false);
    await expect(app.newEvent("a", 1)).rejects.toThrow("the connection to the broker is down");
    transport.setConnected(true);
    await turns();
    expect(transport.calls).toEqual([]);
  });
});

it("outputs of a handler travel in its settlement, and not by a publish of their own", async () => {
  const transport = new FakeTransport();
  await started(transport, [useCase("works", { on: "#" }, () => [{ name: "b", payload: 1 }])]);
  const settlement = await transport.deliver("works", { name: "a", id: "A" });
  expect(settlement).toMatchObject({ kind: "done", outputs: [{ name: "b", headers: { papa_cause: "A" } }] });
  expect(transport.calls).toEqual([]);
});
