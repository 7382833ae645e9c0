import { pause } from "../../rig/until.ts";
import type { Stage } from "../stage/stage.ts";
import { publishersMemory } from "./publishers-memory.ts";
import { handling, type Scenario } from "./scenario.ts";

/** How long the broker is stopped, in milliseconds. */
const PAUSED_MS = 10_000;
/** How long it takes nothing, in milliseconds. */
const FULL_MS = 8_000;
/** What is deleted has to be noticed by then (L8), and for how long it is seen to work again, in milliseconds. */
const NOTICED_MS = 5_000;
const WATCHED_MS = 3_000;
/** How long each deletion has of the time in which is published, in milliseconds. */
const DELETION_MS = 9_000;

/** What happens to the broker. */
export const ofBrokers: readonly Scenario[] = [
  {
    name: "broker-killed",
    what: "the broker is killed (SIGKILL) and started again on its data",
    times: 5,
    play: handling(killBroker),
  },
  {
    name: "broker-paused",
    what: "the broker is stopped (SIGSTOP) for 10 s",
    times: 1,
    play: handling(async ({ broker }) => {
      await broker.pause();
      await pause(PAUSED_MS);
      await broker.resume();
    }),
  },
  {
    name: "broker-away",
    what: "the broker is down for 10 s under a publisher with 2,000 calls waiting, then under one with all that is left waiting",
    times: 2,
    play: publishersMemory,
  },
  {
    name: "broker-full",
    what: "for 8 s the broker takes no more events (Redis: maxmemory; RabbitMQ: memory alarm; a Kafka cluster: too few replicas in sync); it has to be drained as far as it can be (L7), and all goes on after it",
    times: 3,
    full: true,
    play: handling(fill),
  },
  {
    name: "objects-deleted",
    what: "an operator deletes one object after another while apps run; it is made again, and nothing that was confirmed 5 s after a deletion is lost (L8)",
    times: 8,
    play: deleteObjects,
  },
  {
    name: "retries-broker-killed",
    what: "as broker-killed, and one event in four fails once",
    times: 5,
    failing: 4,
    play: handling(killBroker),
  },
];

async function fill({ broker, namespace, ledger, target, notes }: Stage): Promise<void> {
  const { fill: begin, full } = target.operator;
  if (begin === undefined) throw new Error("it is never full");
  const end = await begin(broker, namespace);
  const { confirmed, handled } = ledger;
  await pause(FULL_MS);
  notes.push(`${ledger.confirmed - confirmed} confirmed and ${ledger.handled - handled} handled while ${full}`);
  await end();
}

async function killBroker({ broker }: Stage): Promise<void> {
  await broker.kill();
  await broker.restart();
}

async function deleteObjects(stage: Stage, times: number): Promise<void> {
  const { ledger, notes } = stage;
  const objects = Object.entries(stage.target.operator.objects(stage.broker, stage.namespace)).slice(0, times);
  (await stage.startPublisher({ rate: (stage.events * 1_000) / (objects.length * DELETION_MS) })).go();
  for (const [index, [name, remove]] of objects.entries()) {
    await stage.confirmed(Math.max(0.01, (index - 0.5) / objects.length));
    await remove();
    await pause(NOTICED_MS);
    ledger.excuseOpen();
    await worksAgain(stage, name);
  }
  notes.push(`deleted were ${objects.map(([name]) => name).join(", ")}`);
  await stage.finish();
  const { unhandled, withoutOutput } = ledger;
  notes.push(`${unhandled} events and ${withoutOutput} outputs went with what was deleted`);
}

/** Waits until events are handled and outputs collected; where none are, apps are started again, so that the rest can be seen. */
async function worksAgain(stage: Stage, name: string): Promise<void> {
  const { ledger, handlers, collectors, problems } = stage;
  const { confirmed } = ledger;
  await pause(WATCHED_MS);
  const { missed, missedOutputs } = ledger;
  const since = ledger.confirmed - confirmed;
  if (since > 0 && missed < since / 2 && missedOutputs < since / 2) return;
  problems.push(
    `${name}: of ${since} events that were confirmed from the 5th to the 8th second after it was deleted ${missed} were not ` +
      `handled and ${missedOutputs} outputs not collected (L8); apps were started again`,
  );
  for (const crew of [handlers, collectors]) for (const place of crew.places) await crew.roll(place);
  ledger.excuseOpen();
}
