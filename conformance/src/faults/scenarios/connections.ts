import { pause } from "../../rig/until.ts";
import type { Stage } from "../stage/stage.ts";
import { handling, type Scenario } from "./scenario.ts";

/** How long clients hear nothing, in milliseconds. */
const UNHEARD_MS = 100;
/** How long nothing is passed on, in milliseconds: longer than it takes to notice. */
const SILENT_MS = 12_000;
/** How long a stop may take beyond `drainTimeout` (L2), and how late a busy machine may notice. */
const STOP_MS = 2_000;
const LATE_MS = 1_500;
const DRAIN_MS = 4_000;

/** What happens to the connections. */
export const ofConnections: readonly Scenario[] = [
  {
    name: "connections-cut",
    what: "every connection is reset and can be made again at once",
    times: 50,
    play: handling(cutConnections),
  },
  {
    name: "replies-lost",
    what: "the broker hears its clients for 100 ms and they do not hear it; then every connection is reset",
    times: 20,
    play: handling(async ({ proxy }) => {
      proxy.loseReplies();
      await pause(UNHEARD_MS);
      proxy.cut();
    }),
  },
  {
    name: "half-stuck",
    what: "every other connection passes on nothing for 100 ms, such as a handler's outputs while its acknowledgements arrive; then every connection is reset",
    times: 50,
    play: handling(async ({ proxy }, time) => {
      proxy.stallSome((place) => place % 2 === time % 2);
      await pause(UNHEARD_MS);
      proxy.cut();
    }),
  },
  {
    name: "half-open",
    what: "the broker's end of every connection is closed and the clients are not told",
    times: 5,
    alert: true,
    play: handling(async ({ proxy }) => proxy.halfOpen()),
  },
  {
    name: "broker-silent",
    what: "for 12 s nothing is passed on in either direction and nothing closed; meanwhile a handling process is stopped, which has to end within its drainTimeout and 2 s (L2), and another starts",
    times: 2,
    alert: true,
    drainTimeout: DRAIN_MS,
    play: handling(async ({ proxy, handlers, problems, notes }) => {
      proxy.stall();
      const silent = pause(SILENT_MS);
      const begun = performance.now();
      await handlers.leave(handlers.places[0]);
      const took = performance.now() - begun;
      notes.push(`a stop in the silence took ${(took / 1_000).toFixed(1)} s of ${(DRAIN_MS + STOP_MS) / 1_000}`);
      if (took > DRAIN_MS + STOP_MS + LATE_MS) problems.push(`a stop took ${(took / 1_000).toFixed(1)} s (L2)`);
      const joining = Promise.allSettled([handlers.join()]);
      await silent;
      proxy.flow();
      for (const joined of await joining) if (joined.status === "rejected") problems.push(String(joined.reason));
    }),
  },
  {
    name: "retries-connections-cut",
    what: "as connections-cut, and one event in four fails once",
    times: 50,
    failing: 4,
    play: handling(cutConnections),
  },
];

async function cutConnections({ proxy }: Stage): Promise<void> {
  proxy.cut();
}
