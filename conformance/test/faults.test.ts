import assert from "node:assert/strict";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Broker } from "../src/brokers/index.ts";
import { Ledger } from "../src/faults/ledger.ts";
import { documentOf } from "../src/faults/report.ts";
import { type Count, runScenario } from "../src/faults/run-scenario.ts";
import { type Scenario, scenarios } from "../src/faults/scenarios.ts";
import { targets } from "../src/faults/targets.ts";

const EVENTS = 500;

test("a ledger counts what is lost, what came twice and which attempts are wrong", () => {
  const ledger = new Ledger();
  const facts = [
    "confirmed 1",
    "confirmed 2",
    "confirmed 3",
    "handled 1 1",
    "handled 1 2",
    "handled 2 1",
    "handled 4 1",
  ];
  for (const fact of [...facts, "collected 1", "collected 1"]) ledger.take(fact);
  const { confirmed, handled, unhandled, withoutOutput, duplicates, duplicateOutputs, miscounted, complete } = ledger;
  assert.deepEqual(
    { confirmed, handled, unhandled, withoutOutput, duplicates, duplicateOutputs, miscounted, complete },
    {
      confirmed: 3,
      handled: 3,
      unhandled: [3],
      withoutOutput: [2],
      duplicates: 1,
      duplicateOutputs: 1,
      miscounted: 1,
      complete: false,
    },
  );
});

test("a ledger excuses what was confirmed shortly before, and nothing that is confirmed later", () => {
  const ledger = new Ledger();
  for (const fact of ["confirmed 1", "confirmed 2", "handled 2 1"]) ledger.take(fact);
  ledger.excuse(60_000);
  assert.deepEqual([ledger.unhandled, ledger.withoutOutput, ledger.complete], [[1], [2], true]);
  ledger.take("confirmed 3");
  assert.deepEqual([ledger.unexcused(ledger.unhandled), ledger.complete], [[3], false]);
});

test("a document keeps the brokers and scenarios that did not run", () => {
  const first = documentOf("", new Map([["b", [counted("one", 1), counted("two", 2)]]]));
  const second = documentOf(first, new Map([["a", [counted("one", 3)]]]));
  const third = documentOf(second, new Map([["b", [counted("two", 4)]]]));
  const both = new Map([
    ["b", [counted("one", 1), counted("two", 4)]],
    ["a", [counted("one", 3)]],
  ]);
  assert.equal(third, documentOf("", both));
  assert.match(third, /## a\n[^#]*one[^#]* 3 [^#]*- one: as is; \*\*3 lost\*\*\n\n## b\n/);
});

function counted(scenario: string, lost: number): Count {
  const nothing = { confirmed: 0, handled: 0, dead: 0, lostOutputs: 0, duplicates: 0, duplicateOutputs: 0, seconds: 0 };
  const peakMemory = { publish: 0, handle: 0 };
  return { ...nothing, scenario, what: "as is", times: 1, lost, peakMemory, notes: [], problems: [`${lost} lost`] };
}

describe("faults, counted on RabbitMQ 4.0", { concurrent: true }, () => {
  const target = targets["rabbitmq-4.0"];
  assert(target !== undefined);
  let broker: Broker;
  let failed = false;

  beforeAll(async () => {
    broker = await target.start();
  }, 600_000);

  afterAll(() => broker?.stop(failed));

  // No broker is killed here, so nothing has to be waited out.
  const play = async (scenario: Scenario | undefined, times: number, patience?: number): Promise<Count> => {
    assert(scenario !== undefined);
    const namespace = `faults-${scenario.name}`;
    const settings = { target: { ...target, beforeKill: 0 }, broker, namespace, events: EVENTS, times, patience };
    const count = await runScenario(scenario, settings);
    failed ||= count.problems.length > 0 && scenario !== losing;
    return count;
  };

  test.for([
    ["H1, T6", "retries-consumer-killed"],
    ["P1, L3", "connections-cut"],
    ["P2", "replies-lost"],
    ["H1", "half-stuck"],
    ["L2", "rolling-deployment"],
  ] as const)("%s %s: nothing is lost", async ([, name]) => {
    const count = await play(
      scenarios.find((each) => each.name === name),
      4,
    );
    assert.deepEqual(count.problems, []);
    assert.deepEqual([count.confirmed, count.handled, count.lost, count.lostOutputs], [EVENTS, EVENTS, 0, 0]);
  });

  /** Its fault throws away what waits in the queue. */
  const losing: Scenario = {
    name: "losing",
    what: "the queue is purged while nobody consumes it",
    times: 1,
    play: async (stage) => {
      await stage.publish();
      await stage.handled(0.2);
      await stage.killHandler();
      await stage.confirmed(1);
      const model = await connect(broker.uri);
      const channel = await model.createChannel();
      await channel.purgeQueue("faults-losing/relay");
      await model.close();
      await stage.startHandler();
    },
  };

  test("what is lost is counted and reported", async () => {
    const count = await play(losing, 1, 2_000);
    assert.equal(count.confirmed, EVENTS);
    assert(count.lost > 0);
    assert.equal(count.lost, EVENTS - count.handled);
    assert.match(count.problems.join("; "), /nothing happened any more.*; not handled: \d+/);
  });
});
