import { virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { PapaError } from "../../src/index.ts";
import type { EncodedEvent } from "../../src/transport.ts";
import { FakeTransport, started, turns } from "../support.ts";

const full = new PapaError("connection-failed", "it is full", { transport: "fake" }, { retryable: true });

/** An app whose broker refuses the events that the test says. */
async function publishing(refuses: (event: EncodedEvent) => boolean, options: object = {}) {
  const transport = new FakeTransport();
  const clock = virtualClock({ start: 0 });
  transport.clock = clock;
  transport.takes({ eventsPerCall: 256, callsInFlight: 8 });
  const state = { refuses };
  transport.onPublish = async (events) =>
    events.flatMap((event, index) => (state.refuses(event) ? [{ index, error: full }] : []));
  const app = await started(transport, [], { unwanted: "accept", ...options });
  /** How many events of these names have been sent so far. */
  const sent = (names: RegExp) => transport.calls.flat().filter(({ name }) => names.test(name)).length;
  return { app, clock, state, transport, sent };
}

const settled = async (published: Promise<unknown>) =>
  published.then(
    () => "confirmed",
    (error: PapaError) => error.code,
  );

describe("H8 what the broker refuses for now holds up nothing else", () => {
  it("events of other names are published at once, in the same burst and later", async () => {
    const { app, clock } = await publishing(({ name }) => name === "full");
    const refused = Array.from({ length: 500 }, () => settled(app.newEvent("full", 1)));
    const burst = Array.from({ length: 500 }, () => app.newEvent("healthy", 1));
    // Time stands still: none of it waits for any pause.
    await Promise.all(burst);
    for (let round = 0; round < 20; round += 1) {
      refused.push(settled(app.newEvent("full", 1)));
      await app.newEvent("healthy", 1);
      await app.newEvents([{ name: `new.${round}`, payload: 1 }]);
    }
    await clock.advance("31s");
    expect(new Set(await Promise.all(refused))).toEqual(new Set(["publish-timeout"]));
  });

  it("what is refused is asked about ever less, one event at a time, and what comes later waits with it", async () => {
    const { app, clock, sent } = await publishing(({ name }) => name === "full", { publishTimeout: "10m" });
    const refused = Array.from({ length: 1_000 }, () => settled(app.newEvent("full", 1)));
    await turns();
    const burst = sent(/full/);
    expect(burst).toBeLessThanOrEqual(1_000);
    refused.push(...Array.from({ length: 1_000 }, () => settled(app.newEvent("full", 1))));
    await clock.advance("1m");
    // 2 s at most between two, 1 s at least.
    expect(sent(/full/) - burst).toBeLessThan(75);
    expect(sent(/full/) - burst).toBeGreaterThan(25);
    await clock.advance("10m");
    expect(new Set(await Promise.all(refused))).toEqual(new Set(["publish-timeout"]));
  });

  it("all that waits goes out as soon as the broker is found to take it", async () => {
    const { app, clock, state } = await publishing(() => true);
    const published = Array.from({ length: 5_000 }, () => settled(app.newEvent("full", 1)));
    await clock.advance("10s");
    state.refuses = () => false;
    await clock.advance("2s");
    expect(await Promise.all(published)).toEqual(published.map(() => "confirmed"));
  });

  it("a broker that takes some of them is used: what it refuses does not hold up the rest of the name", async () => {
    const { app, clock } = await publishing(({ id }) => id.startsWith("stuck"), { publishTimeout: "20s" });
    const stuck = Array.from({ length: 100 }, (_, n) => settled(app.newEvent("any", 1, { id: `stuck-${n}` })));
    await turns();
    const others = Array.from({ length: 2_000 }, () => settled(app.newEvent("any", 1)));
    await clock.advance("15s");
    expect(await Promise.all(others)).toEqual(others.map(() => "confirmed"));
    await clock.advance("6s");
    expect(new Set(await Promise.all(stuck))).toEqual(new Set(["publish-timeout"]));
  });

  it("beyond a hundred names it is the broker that refuses, and the others wait together", async () => {
    const { app, clock, state, sent } = await publishing(() => true);
    const published = [];
    for (let n = 0; n < 1_000; n += 1) {
      published.push(settled(app.newEvent(`name.${n}`, 1)));
      await turns(1);
    }
    expect(sent(/name/)).toBeLessThanOrEqual(101);
    state.refuses = () => false;
    await clock.advance("3s");
    expect(await Promise.all(published)).toEqual(published.map(() => "confirmed"));
    expect(app.health().reasons).toEqual([]);
  });

  it("an answer that never comes holds up its name no longer than publishTimeout", async () => {
    const { app, clock, state, transport } = await publishing(() => true, { publishTimeout: "5s" });
    const first = settled(app.newEvent("full", 1));
    await turns();
    const answer = transport.onPublish;
    const lost = transport.holdPublishes();
    await clock.advance("6s");
    expect(await first).toBe("publish-timeout");
    transport.onPublish = answer;
    state.refuses = () => false;
    const second = settled(app.newEvent("full", 2));
    await clock.advance("3s");
    expect(await second).toBe("confirmed");
    for (const { end } of lost) end([]);
  });

  it("is sent again at once, all of it, when the connection is back", async () => {
    const { app, state, transport } = await publishing(() => true);
    const published = Array.from({ length: 300 }, () => settled(app.newEvent("full", 1)));
    await turns();
    transport.setConnected(false);
    state.refuses = () => false;
    transport.setConnected(true);
    expect(await Promise.all(published)).toEqual(published.map(() => "confirmed"));
  });
});

describe("L6 health names what is refused and why", () => {
  it("until it is taken", async () => {
    const { app, clock, state } = await publishing(({ name }) => name !== "healthy");
    const first = app.newEvent("full", 1);
    await app.newEvent("healthy", 1);
    const reason = () => app.health().reasons.map(({ subject, message }) => `${subject}: ${message}`);
    expect(reason()).toEqual(['publishing: the broker does not take "full": it is full']);
    const second = app.newEvent("other", 1);
    await turns();
    expect(reason()).toEqual(['publishing: the broker does not take "full" and 1 more: it is full']);
    state.refuses = () => false;
    await clock.advance("3s");
    await Promise.all([first, second]);
    expect(app.health()).toMatchObject({ healthy: true, reasons: [] });
  });

  it("until nobody waits for it any more, and then nothing keeps a stop", async () => {
    const { app, clock } = await publishing(() => true, { publishTimeout: "5s" });
    const published = settled(app.newEvent("full", 1));
    await clock.advance("6s");
    expect(await published).toBe("publish-timeout");
    await clock.advance("3s");
    expect(app.health().reasons).toEqual([]);
    // Time stands still.
    await app.stop();
  });
});
