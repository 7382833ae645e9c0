import { describe, expect, it } from "vitest";
import { isPapaError, PapaError } from "../../src/index.ts";
import { FakeTransport, slowly, started, turns } from "../support.ts";

const refused = new PapaError("access-refused", "no permission", { transport: "fake" });

describe("newEvents", () => {
  it("lists what was not confirmed by place, id and name; the others are published", async () => {
    const transport = new FakeTransport();
    transport.onPublish = async () => [
      { index: 1, error: refused },
      { index: 3, error: refused },
    ];
    const app = await started(transport);
    const events = ["a", "b", "c", "d"].map((name) => ({ name, payload: 1 }));
    const error: unknown = await app.newEvents(events).catch((thrown: unknown) => thrown);
    if (!isPapaError(error, "publish-incomplete")) throw error;
    const [call = []] = transport.calls;
    expect(error.details).toEqual({
      confirmed: 2,
      failed: [
        { index: 1, id: call[1]?.id, name: "b", error: refused },
        { index: 3, id: call[3]?.id, name: "d", error: refused },
      ],
    });
    expect(error.message).toBe("Of 4 events 2 were not confirmed; details.failed lists them. The first: no permission");
    expect(error.cause).toBe(refused);
  });

  it("goes over several calls, and waits for the last", async () => {
    const transport = new FakeTransport();
    transport.takes({ eventsPerCall: 2, callsInFlight: 1 });
    const app = await started(transport);
    const events = Array.from({ length: 5 }, (_, payload) => ({ name: "a", payload }));
    const published = await app.newEvents(events);
    expect(transport.calls.map((call) => call.length)).toEqual([2, 2, 1]);
    expect(published.map(({ id }) => id)).toEqual(transport.calls.flat().map(({ id }) => id));
  });

  it("each may bring its id; the others get one", async () => {
    const transport = new FakeTransport();
    const app = await started(transport);
    const published = await app.newEvents([
      { name: "a", payload: 1, id: "order-17" },
      { name: "a", payload: 2 },
      { name: "b", payload: 3, id: "order-18", headers: { tenant: "t" } },
    ]);
    expect(published).toEqual([
      { id: "order-17" },
      { id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      { id: "order-18" },
    ]);
    const sent = transport.calls.flat();
    expect(sent.map(({ id }) => id)).toEqual(published.map(({ id }) => id));
    expect(sent.map(({ headers }) => headers.ce_id)).toEqual(published.map(({ id }) => id));
    expect(sent[2]?.headers.tenant).toBe("t");
  });

  it.each<[string, unknown, string]>([
    ["no list", { name: "a", payload: 1 }, "newEvents: a list of events { name, payload, headers?, id? } is needed."],
    ["no event", [null], "newEvents: event 0: an object { name, payload, headers?, id? } is needed."],
    [
      "a hole",
      Object.assign([], { 1: { name: "a", payload: 1 } }),
      "newEvents: event 0: an object { name, payload, headers?, id? } is needed.",
    ],
    [
      "a member it would have to ignore",
      [{ name: "a", payload: 1, delay: "1s" }],
      'newEvents: event 0: it has a member "delay"; an event has name, payload, headers, id.',
    ],
    [
      "an id that is none",
      [
        { name: "a", payload: 1 },
        { name: "a", payload: 1, id: "with space" },
      ],
      "publish options: id: an id has 1 to 200 printable ASCII characters without spaces.",
    ],
  ])("refuses %s, and sends nothing", async (_, events, message) => {
    const transport = new FakeTransport();
    const app = await started(transport);
    await expect(app.newEvents(events as never)).rejects.toMatchObject({ code: "invalid-option", message });
    await turns();
    expect(transport.calls).toEqual([]);
  });

  // The schema's refusal of the first event would be an unhandled rejection, which ends the process.
  it("a bad event beside one whose asynchronous schema refuses it is one rejection", async () => {
    const app = await started(new FakeTransport(), [], {
      events: { a: slowly({ issues: [{ message: "no" }] }) } as never,
    });
    const events = [
      { name: "a", payload: 1 },
      { name: "a.*", payload: 1 },
    ];
    await expect(app.newEvents(events)).rejects.toMatchObject({ code: "invalid-event-name" });
    await turns();
  });
});
