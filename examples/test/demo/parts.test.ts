import { PapaApp, useCase } from "@papa-events/core";
import { memory } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { copiedUrl, shownUrl, withOwnNamespace } from "../../src/demo/broker-url.ts";
import { Run } from "../../src/demo/run.ts";
import { Tally } from "../../src/demo/tally.ts";
import { until } from "../../src/demo/until.ts";

const never = new AbortController().signal;

describe("the broker's URL", () => {
  it.each([
    ["amqp://localhost", /^amqp:\/\/localhost\?prefix=demo-[0-9a-f]{8}$/],
    ["redis://localhost/2?tls=true", /^redis:\/\/localhost\/2\?tls=true&prefix=demo-[0-9a-f]{8}$/],
    ["kafka://a:1,b:2?prefix=mine", /^kafka:\/\/a:1,b:2\?prefix=mine$/],
    ["memory:", /^memory:$/],
  ])("%s gets a namespace of its own where it has none", (url, expected) => {
    expect(withOwnNamespace(url)).toMatch(expected);
  });

  it.each([
    ["amqp://guest:p@ss/word@localhost/vhost?prefix=demo-1&password=x", "amqp://localhost/vhost (prefix demo-1)"],
    ["redis://localhost:6379", "redis://localhost:6379"],
    ["memory:", "memory:"],
  ])("%s is shown without secrets", (url, shown) => {
    expect(shownUrl(url)).toBe(shown);
  });
});

describe("the URL that is copied", () => {
  it.each([
    [
      "amqp://guest:p@ss@localhost:5672/vhost?prefix=demo-1&password=x",
      "amqp://USER:PASSWORD@localhost:5672/vhost?prefix=demo-1",
    ],
    ["kafka://a:1,b:2?prefix=mine", "kafka://a:1,b:2?prefix=mine"],
  ])("%s has a place for what may be secret", (url, copied) => {
    expect(copiedUrl(url)).toBe(copied);
  });
});

describe("the tally", () => {
  it("counts a duplicate once, the events of other runs not at all, and returned events with their delivery", async () => {
    const run = new Run();
    const tally = new Tally(run, ["order", "log"]);
    const duplicated = new Set<string>();
    const transport = memory({ duplicate: ({ id }) => duplicated.size < duplicated.add(id).size });
    await using app = new PapaApp({ transport, ...tally.hooks });
    app.use(
      useCase("order", { on: "order.placed" }, () => ({ name: "order.packed", payload: null })),
      useCase("log", { on: "order.packed" }, () => {}),
    );
    await app.start();
    await app.newEvent("order.placed", null, { headers: { traceparent: run.traceparent(0) } });
    await app.newEvent("order.placed", null, { headers: { traceparent: new Run().traceparent(0) } });
    await app.newEvent("order.placed", null);
    await transport.settled();
    const once = { delivered: 1, handled: 1, retried: 0, dead: {} };
    expect(tally.counts).toEqual({ order: once, log: once });
    // The order came twice, so it was packed twice, and each of the two came twice.
    expect(tally.duplicates).toBe(4);
  });
});

describe("until", () => {
  it("gives up when nothing goes on any more", async () => {
    expect(await until({ condition: () => false, progress: () => 1, signal: never, patience: 100 })).toBe(false);
  });

  it("waits on as long as something goes on", async () => {
    let steps = 0;
    const condition = () => ++steps > 6;
    expect(await until({ condition, progress: () => steps, signal: never, patience: 60 })).toBe(true);
  });

  it("ends when it is told to", async () => {
    const interrupted = AbortSignal.timeout(10);
    await expect(until({ condition: () => false, progress: Math.random, signal: interrupted })).rejects.toThrow();
  });
});
