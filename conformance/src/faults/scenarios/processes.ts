import { pause } from "../../rig/until.ts";
import type { Stage } from "../stage/stage.ts";
import type { Crew, Place } from "../workers/crew.ts";
import { handling, type Scenario } from "./scenario.ts";

/** How often an instance joins or leaves, in milliseconds. */
const CHANGE_MS = 2_000;

/** What happens to the processes that publish and handle. */
export const ofProcesses: readonly Scenario[] = [
  {
    name: "consumer-killed",
    what: "one of two handling processes is killed (SIGKILL) and started again, each in turn",
    times: 20,
    play: handling(killHandler),
  },
  {
    name: "publisher-killed",
    what: "the publishing process is killed (SIGKILL); another goes on; what was confirmed counts",
    times: 20,
    play: async (stage, times) => {
      for (let time = 1; time <= times; time += 1) {
        await stage.publish();
        await stage.confirmed(time / (times + 1));
      }
      await stage.publish();
    },
  },
  {
    name: "one-poison",
    what: "one event kills every process that handles it; others are started in their places; it has to be the one dead letter (T6)",
    times: 1,
    // Late enough that others are handled beside it.
    poison: 50,
    dead: 1,
    play: async (stage) => {
      stage.ledger.excuseOne(50);
      await stage.publish();
    },
  },
  {
    name: "rolling-deployment",
    what: "another handling process joins, then the one before is stopped cleanly, which may repeat nothing (L2)",
    times: 20,
    fleet: 1,
    play: async (stage, times) => {
      const { handlers, ledger, problems, events, target } = stage;
      const count = Math.ceil(events / times);
      for (let time = 1; time <= times; time += 1) {
        // A burst for each, of which most is still to come when the process before is stopped.
        await handlers.roll(handlers.places[0], async () => {
          (await stage.startPublisher({ count: Math.min(count, events - ledger.confirmed) })).go();
          await stage.handled((time - 0.8) / times);
        });
        await stage.confirmed(Math.min(1, (time * count) / events));
      }
      await stage.finish();
      if (ledger.duplicates > (target.repeatedByRolling ?? 0) * events)
        problems.push(`${ledger.duplicates} events were handled twice though every stop was clean`);
    },
  },
  {
    name: "instances-join-and-leave",
    what: "every 2 s another handling process joins or one is stopped cleanly",
    times: 30,
    fleet: 1,
    play: async (stage, times) => {
      const { handlers, problems } = stage;
      const changes: Promise<void>[] = [];
      const joining: Promise<Place | undefined>[] = [];
      const failed = (error: unknown) => void problems.push(String(error));
      const begun = performance.now();
      (await stage.startPublisher({ rate: (stage.events * 1_000) / (times * CHANGE_MS) })).go();
      for (let time = 1; time <= times; time += 1) {
        await pause(begun + time * CHANGE_MS - performance.now());
        if (time % 2 === 1) joining.push(handlers.join().catch(failed));
        else changes.push(leave(handlers, joining.shift()).catch(failed));
      }
      await Promise.all(changes);
    },
  },
  {
    name: "retries-consumer-killed",
    what: "as consumer-killed, and one event in four fails once",
    times: 20,
    failing: 4,
    play: handling(killHandler),
  },
];

async function leave(handlers: Crew, joining: Promise<Place | undefined> | undefined): Promise<void> {
  await handlers.leave(await joining);
}

async function killHandler({ handlers }: Stage, time: number): Promise<void> {
  const place = handlers.places[time % handlers.places.length];
  await handlers.kill(place);
  if (place !== undefined) await handlers.fill(place);
}
