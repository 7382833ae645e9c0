import { pause } from "../../rig/until.ts";
import { quit } from "../brokers/inside.ts";
import type { Stage } from "../stage/stage.ts";
import { publishFor, type Scenario, SETTLED_MS, sharedFairly, whole } from "./scenario.ts";

const FLEET = 6;
/** How often an instance joins, and for how long shares are counted, in milliseconds. */
const JOIN_MS = 3_000;
const WINDOW_MS = 8_000;
/** How many seconds of one process's work there are in a scale-out: six of them from 1 up, the wait, the window, and some more. */
const WORK_S = 200;
const CONCURRENCY = 4;
/** How long the events of a deploy are published, in milliseconds. */
const DEPLOY_MS = 30_000;
const NODE_DOWN_MS = 3_000;
const NODE_SERVING_MS = 6_000;

/** What happens to many instances at once. */
export const ofFleets: readonly Scenario[] = [
  {
    name: "scale-out",
    what: "all events wait, one process handles, and every 3 s another joins; 10 s later each of the six has to handle at least half of its fair share (R8)",
    times: FLEET - 1,
    fleet: 1,
    // However many events there are, they wait until all have joined.
    takes: (events) => Math.ceil((CONCURRENCY * WORK_S * 1_000) / events),
    concurrency: CONCURRENCY,
    play: async (stage, times) => {
      await stage.publish();
      await stage.confirmed(0.5);
      for (let time = 1; time <= times; time += 1) {
        const next = pause(JOIN_MS);
        await stage.handlers.join();
        await next;
      }
      await pause(SETTLED_MS);
      const { handled } = stage.ledger;
      await sharedFairly(stage, () => pause(WINDOW_MS));
      const rate = ((stage.ledger.handled - handled) * 1_000) / WINDOW_MS;
      stage.notes.push(`then ${rate.toFixed(0)} a second, of ${(FLEET * stage.events) / WORK_S} that six can handle`);
      if (stage.ledger.handled >= stage.events) stage.problems.push("no more events waited");
    },
  },
  {
    name: "rolling-deploy-of-six",
    what: "of six handling processes each is replaced in turn under load, by one that joins before it stops cleanly; nothing may be repeated (L2), and the load is shared after it (R8)",
    times: FLEET,
    fleet: FLEET,
    play: async (stage, times) => {
      await publishFor(stage, 0.6, DEPLOY_MS);
      await roll(stage, times);
      await shareRest(stage);
    },
  },
  {
    name: "rolling-restart-of-everything",
    what: "each broker in turn is ended (SIGTERM) and started again, then each of three handling processes and the collecting one is replaced, under load (L10)",
    times: 4,
    fleet: 3,
    play: async (stage) => {
      const { broker, collectors, ledger, notes } = stage;
      const nodes = broker.nodes.length === 0 ? [broker] : broker.nodes;
      await publishFor(stage, 0.6, nodes.length * (NODE_DOWN_MS + NODE_SERVING_MS) + DEPLOY_MS);
      for (const node of nodes) {
        await quit(node);
        await pause(NODE_DOWN_MS);
        await node.restart();
        await whole(stage);
        await pause(NODE_SERVING_MS);
      }
      notes.push(`${nodes.length} ended and started again, with ${ledger.duplicates} repeated`);
      await roll(stage, stage.handlers.places.length);
      await collectors.roll(collectors.places[0]);
      await shareRest(stage);
    },
  },
];

/** Replaces each handling process in turn, which may repeat nothing. */
async function roll({ handlers, ledger, problems, target, events }: Stage, times: number): Promise<void> {
  const before = ledger.duplicates;
  for (const place of handlers.places.slice(0, times)) {
    await handlers.roll(place, () => pause(500));
    await pause(500);
  }
  // What was let go of is handled by others soon.
  await pause(3_000);
  const repeated = ledger.duplicates - before;
  if (repeated > (target.repeatedByRolling ?? 0) * events)
    problems.push(`${repeated} events were handled twice though every stop was clean (L2)`);
}

/** Publishes what is left, once all have settled, and sees who gets it. */
async function shareRest(stage: Stage): Promise<void> {
  await stage.confirmed(0.6);
  await pause(SETTLED_MS);
  await sharedFairly(stage, async () => {
    await publishFor(stage, 1, WINDOW_MS);
    await stage.finish();
  });
}
