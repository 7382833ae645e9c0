import { pause } from "../rig/until.ts";
import { publishersMemory } from "./publishers-memory.ts";
import type { Stage } from "./stage.ts";

/** Something that goes wrong, so many times, while events are published and handled. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** How often it goes wrong. */
  readonly times: number;
  /** Whether the transport has to notice soon that nobody answers. */
  readonly alert?: boolean;
  readonly play: (stage: Stage, times: number) => Promise<void>;
}

/** How long the broker is stopped, and how long it is heard no more, in milliseconds. */
const PAUSED = 10_000;
const UNHEARD = 100;

export const scenarios: readonly Scenario[] = [
  {
    name: "consumer-killed",
    what: "the handling process is killed (SIGKILL) and started again",
    times: 20,
    play: handling(async (stage) => {
      await stage.killHandler();
      await stage.startHandler();
    }),
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
    name: "broker-killed",
    what: "the broker is killed (SIGKILL) and started again on its data",
    times: 5,
    play: handling(async ({ broker }) => {
      await broker.kill();
      await broker.restart();
    }),
  },
  {
    name: "connections-cut",
    what: "every connection is reset and can be made again at once",
    times: 50,
    play: handling(async ({ proxy }) => proxy.cut()),
  },
  {
    name: "replies-lost",
    what: "the broker hears its clients for 100 ms and they do not hear it; then every connection is reset",
    times: 20,
    play: handling(async ({ proxy }) => {
      proxy.loseReplies();
      await pause(UNHEARD);
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
    name: "broker-paused",
    what: "the broker is stopped (SIGSTOP) for 10 s",
    times: 1,
    play: handling(async ({ broker }) => {
      await broker.pause();
      await pause(PAUSED);
      await broker.resume();
    }),
  },
  {
    name: "broker-away",
    what: "the broker is down for 10 s under a publisher with 2,000 calls waiting, then under one with all that is left waiting",
    times: 2,
    play: publishersMemory,
  },
];

/** A scenario whose faults are spread evenly over the handling of all events. */
function handling(fault: (stage: Stage) => Promise<void>): Scenario["play"] {
  return async (stage, times) => {
    await stage.publish();
    for (let time = 1; time <= times; time += 1) {
      await stage.handled(time / (times + 1));
      await fault(stage);
    }
  };
}
