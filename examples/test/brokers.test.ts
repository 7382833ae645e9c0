import { type Broker, kafka, rabbitmq, redis } from "@papa-events/conformance/brokers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { QUICK_START_LINES } from "./quick-start-lines.ts";
import { runExample } from "./run-example.ts";
import { OTHER_RUNTIMES } from "./runtimes.ts";

/** Fetching a broker for the first time takes minutes. */
const FETCHING = 600_000;

describe.each([
  ["amqp", () => rabbitmq("4.0")],
  ["redis", () => redis("8.0")],
  ["kafka", () => kafka("4.1")],
])("on a real broker by nothing but its %s URL", (_, start) => {
  let broker: Broker;
  let failed = true;

  beforeAll(async () => {
    broker = await start();
  }, FETCHING);

  afterAll(() => broker?.stop(failed));

  it("the quick start says the same, and the demo's counts match", async () => {
    const quickStart = await runExample("quick-start.ts", { broker: broker.uri });
    expect(quickStart.err).toBe("");
    expect(quickStart.out.trimEnd().split("\n").toSorted()).toEqual(QUICK_START_LINES.toSorted());
    const demo = await runExample("demo/main.ts", { args: ["--broker", broker.uri, "--speed", "max"] });
    expect({ err: demo.err, code: demo.code }).toEqual({ err: "", code: 0 });
    expect(demo.out).toContain("All counts match");
  });

  it.each(OTHER_RUNTIMES)("the quick start says the same on %s too", async (_, runtime) => {
    const { out, err, code } = await runExample("quick-start.ts", { runtime, broker: broker.uri });
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out.trimEnd().split("\n").toSorted()).toEqual(QUICK_START_LINES.toSorted());
  });

  it("the order flow leaves the same trace, line by line, as in memory", async () => {
    const inMemory = await runExample("order-flow/main.ts");
    expect({ err: inMemory.err, code: inMemory.code }).toEqual({ err: "", code: 0 });
    expect(inMemory.out.split("\n")).toContain("F take_payment stock.reserved dead after 4: retries-exhausted");
    const onBroker = await runExample("order-flow/main.ts", { args: [broker.uri] });
    expect({ err: onBroker.err, code: onBroker.code }).toEqual({ err: "", code: 0 });
    expect(onBroker.out.split("\n")).toEqual(inMemory.out.split("\n"));
    failed = false;
  });
});
