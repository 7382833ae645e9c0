import { type Broker, kafka, rabbitmq, redis } from "@papa-events/conformance/brokers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Shell } from "./operate/shell.ts";
import { QUICK_START_LINES } from "./quick-start-lines.ts";
import { runExample } from "./run-example.ts";
import { OTHER_RUNTIMES } from "./runtimes.ts";

/** Fetching a broker for the first time takes minutes. */
const FETCHING = 600_000;

describe.each([
  ["amqp", () => rabbitmq("4.3")],
  ["redis", () => redis("8.6")],
  ["kafka", () => kafka("4.4")],
])("on a real broker by nothing but its %s URL", (_, start) => {
  let broker: Broker;
  let failed = true;

  beforeAll(async () => {
    broker = await start();
  }, FETCHING);

  afterAll(() => broker?.stop(failed));

  it("the quick start says the same", async () => {
    const quickStart = await runExample("quick-start.ts", { broker: broker.uri });
    expect(quickStart.err).toBe("");
    expect(quickStart.out.trimEnd().split("\n").toSorted()).toEqual(QUICK_START_LINES.toSorted());
  });

  // Ten programs, one after the other.
  it("the demo's counts match, and what it leaves is there for an operator, by the commands it prints", {
    timeout: 180_000,
  }, async () => {
    const demo = await runExample("demo/main.ts", { args: ["--broker", broker.uri, "--speed", "max"] });
    expect({ err: demo.err, code: demo.code }, demo.out).toEqual({ err: "", code: 0 });
    expect(demo.out).toContain("All counts match");
    const prefix = /\?prefix=(demo-[0-9a-f]{8})'/.exec(demo.out)?.[1];
    const PAPA_BROKER_URL = `${broker.uri}?prefix=${prefix}`;
    const shell = new Shell();
    const papa = async (command: string) => {
      expect(demo.out).toContain(`  papa ${command}  `);
      const { code, output } = await shell.run(`papa ${command}\n`, { PAPA_BROKER_URL });
      expect({ command, output, code }).toMatchObject({ code: command === "doctor" ? expect.any(Number) : 0 });
      return output;
    };
    expect(await papa("use-cases")).toMatch(/^page_security .* papa-events-demo /m);
    expect(await papa("dlq summary")).toMatch(/ page_security +github\.\S+ +retries-exhausted /);
    expect((await papa("dlq list page_security")).match(/retries-exhausted/g)).toHaveLength(12);
    expect(await papa("doctor")).toContain('"page_security" has 12 dead letters');
    const removed = await runExample("demo/main.ts", { args: ["--clean", "--broker", PAPA_BROKER_URL] });
    expect({ err: removed.err, code: removed.code }).toEqual({ err: "", code: 0 });
    expect(removed.out).toMatch(/removed {2}page_security +12 dead letters/);
    expect(await papa("use-cases")).toBe("The namespace has no use cases.\n");
    const again = await runExample("demo/main.ts", { args: ["--clean", "--broker", PAPA_BROKER_URL] });
    expect(again.out).toContain("nothing of the demo is on ");
    shell.remove();
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
