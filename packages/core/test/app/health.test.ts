import { describe, expect, it } from "vitest";
import { Problems } from "../../src/app/health.ts";
import { PapaApp } from "../../src/index.ts";
import type { Transport } from "../../src/transport.ts";
import { FakeTransport, silent, started, turns } from "../support.ts";

const rest = { transport: "fake", reasons: [], paused: [] };

describe("health()", () => {
  it("is told at once and without the broker", async () => {
    const transport = new FakeTransport();
    const app = new PapaApp({ transport, logger: silent });
    expect(app.health()).toEqual({ state: "new", healthy: false, connected: false, ...rest });
    await app.start();
    expect(app.health()).toEqual({ state: "running", healthy: true, connected: true, ...rest });
    await app.stop();
    expect(app.health()).toEqual({ state: "stopped", healthy: false, connected: false, ...rest });
  });

  it("L6 a lost connection makes it unhealthy, with a reason, until it is back", async () => {
    const transport = new FakeTransport();
    const app = await started(transport);
    transport.setConnected(false);
    const reason = {
      subject: "connection",
      message: "the connection to the broker is lost",
      since: expect.stringMatching(/Z$/),
    };
    expect(app.health()).toEqual({
      state: "running",
      healthy: false,
      connected: false,
      transport: "fake",
      reasons: [reason],
      paused: [],
    });
    transport.setConnected(true);
    expect(app.health()).toEqual({ state: "running", healthy: true, connected: true, ...rest });
  });

  it("L6 says why the broker cannot be reached, also where that came during the start", async () => {
    const transport = new FakeTransport();
    const error = new Error("cut");
    const unlucky: Transport = {
      name: "fake",
      connect: async (options) => {
        options.onStatus({ connected: false, error });
        return transport.connect(options);
      },
    };
    const app = await started(unlucky);
    const { state, healthy, connected, reasons } = app.health();
    expect({ state, healthy, connected }).toEqual({ state: "running", healthy: false, connected: false });
    expect(reasons.map(({ subject, message }) => [subject, message])).toEqual([["connection", "cut"]]);
    // So that newEvent waits instead of being sent into nothing.
    void app.newEvent("a", 1);
    await turns();
    expect(transport.calls).toEqual([]);
    transport.setConnected(true);
    await turns();
    expect(transport.calls).toHaveLength(1);
  });

  it("L6 a problem that the transport reports makes a connected app unhealthy, until it is over", async () => {
    const transport = new FakeTransport();
    const app = await started(transport);
    transport.options?.onProblem('consuming "log"', "the consumer was cancelled");
    transport.options?.onProblem("publishing", "the disk is full");
    transport.options?.onProblem("publishing", undefined);
    const { healthy, connected, reasons } = app.health();
    expect([healthy, connected, reasons.map(({ subject }) => subject)]).toEqual([false, true, ['consuming "log"']]);
    transport.options?.onProblem('consuming "log"', undefined);
    expect(app.health().healthy).toBe(true);
  });

  // An Error would come out as {}.
  it("L6 its reasons survive JSON.stringify, whatever they come from", async () => {
    const transport = new FakeTransport();
    const app = await started(transport);
    transport.options?.onStatus({ connected: false, error: new Error("ECONNRESET") });
    transport.options?.onProblem('consuming "log"', "held up");
    const health = app.health();
    expect(JSON.parse(JSON.stringify(health))).toEqual(health);
    expect(JSON.stringify(health)).toContain("ECONNRESET");
    expect(JSON.stringify(health)).toContain("held up");
  });
});

describe("the problems of an app", () => {
  it("one that goes on keeps its time and takes the newest message; one that is over begins anew", () => {
    let now = 0;
    const problems = new Problems(() => now);
    const since = (time: number) => new Date(time).toISOString();
    problems.report("publishing", "full");
    now = 1_000;
    problems.report("publishing", "still full");
    problems.report("connection", "lost");
    expect(problems.reasons).toEqual([
      { subject: "publishing", message: "still full", since: since(0) },
      { subject: "connection", message: "lost", since: since(1_000) },
    ]);
    problems.report("publishing", undefined);
    now = 2_000;
    problems.report("publishing", "full again");
    expect(problems.reasons).toEqual([
      { subject: "connection", message: "lost", since: since(1_000) },
      { subject: "publishing", message: "full again", since: since(2_000) },
    ]);
  });

  it("what is over without having begun is none", () => {
    const problems = new Problems(() => 0);
    problems.report("publishing", undefined);
    expect(problems.reasons).toEqual([]);
  });
});
