import assert from "node:assert/strict";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Broker } from "../../src/brokers/index.ts";
import { targets } from "../../src/faults/brokers/targets.ts";
import type { Count } from "../../src/faults/counting/count.ts";
import { runScenario } from "../../src/faults/run-scenario.ts";
import { anythingKilled, type Scenario, scenarios } from "../../src/faults/scenarios/index.ts";

const EVENTS = 500;
const SEED = 3;

describe("faults, counted on RabbitMQ 4.3", { concurrent: true, timeout: 180_000 }, () => {
  const target = targets["rabbitmq-4.3"];
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
    // Of those that do not need more, one process that handles is enough here.
    const count = await runScenario({ fleet: 1, ...scenario }, settings);
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

  // With this seed no broker is killed: others are at work on it.
  test("H1, P1 anything-killed: nothing is lost whatever process is killed", async () => {
    const count = await play(anythingKilled(6, SEED), 6);
    assert.deepEqual(count.problems, []);
    assert.deepEqual([count.confirmed, count.lost, count.lostOutputs], [EVENTS, 0, 0]);
    assert.match(count.notes.join(), /^killed were (?!.*brokers).*\d handling processes/);
  });

  /** Its fault throws away what waits in the queue. */
  const losing: Scenario = {
    name: "losing",
    what: "the queue is purged while nobody consumes it",
    times: 1,
    play: async (stage) => {
      await stage.publish();
      await stage.handled(0.2);
      for (const place of stage.handlers.places) await stage.handlers.kill(place);
      await stage.confirmed(1);
      const model = await connect(broker.uri);
      const channel = await model.createChannel();
      await channel.purgeQueue("faults-losing/relay");
      await model.close();
      for (const place of stage.handlers.places) await stage.handlers.fill(place);
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
