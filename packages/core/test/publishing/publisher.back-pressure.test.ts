import { describe, expect, it, vi } from "vitest";
import type { EncodedEvent } from "../../src/transport.ts";
import { FakeTransport, started, turns } from "../support.ts";

const ids = (events: readonly EncodedEvent[]) => events.map(({ id }) => id);

describe("P3 what is in flight is bounded", () => {
  it.each([
    { eventsPerCall: 10, callsInFlight: 1 },
    { eventsPerCall: 1, callsInFlight: 3 },
    { eventsPerCall: 7, callsInFlight: 5 },
  ])("P3 to %j where nothing is confirmed, however much is published", async ({ eventsPerCall, callsInFlight }) => {
    const transport = new FakeTransport();
    transport.takes({ eventsPerCall, callsInFlight });
    const calls = transport.holdPublishes();
    const app = await started(transport, [], { drainTimeout: 0 });
    const published = Array.from({ length: 100 }, (_, index) => app.newEvent("a", index));
    const settled = vi.fn();
    for (const each of published) each.then(settled, () => {});
    await turns();
    expect(calls.map(({ events }) => events.length)).toEqual(
      Array.from({ length: callsInFlight }, () => eventsPerCall),
    );
    expect(settled).not.toHaveBeenCalled();
  });

  it("P3 one confirmed call makes place for one more, until all are through", async () => {
    const transport = new FakeTransport();
    transport.takes({ eventsPerCall: 3, callsInFlight: 2 });
    const calls = transport.holdPublishes();
    const app = await started(transport);
    const published = Array.from({ length: 10 }, (_, index) => app.newEvent("a", index, { id: `${index}` }));
    for (let ended = 0; ended < 4; ended += 1) {
      await turns();
      expect(calls.length - ended).toBeLessThanOrEqual(2);
      calls[ended]?.end([]);
    }
    expect(await Promise.all(published)).toHaveLength(10);
    expect(calls.flatMap(({ events }) => ids(events))).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`));
  });

  it("P3 a call has no more bytes than the transport takes, and a larger event goes alone", async () => {
    const transport = new FakeTransport();
    transport.takes({ eventsPerCall: 100, callsInFlight: 1, bytesPerCall: 100 });
    const app = await started(transport);
    await Promise.all([40, 40, 40, 500, 10].map((length) => app.newEvent("a", "x".repeat(length - 2))));
    expect(transport.calls.map((events) => events.map(({ body }) => body.length))).toEqual([
      [40, 40],
      [40],
      [500],
      [10],
    ]);
  });
});
