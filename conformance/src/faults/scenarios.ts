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
  /** Every event whose number this divides fails at its first attempt, and is retried after 100 ms. */
  readonly failing?: number;
  /** Whether it takes a cluster. */
  readonly clustered?: boolean;
  readonly play: (stage: Stage, times: number) => Promise<void>;
}

/** How long the broker is stopped, and how long it is heard no more, in milliseconds. */
const PAUSED = 10_000;
const UNHEARD = 100;
/** How long a broker of a cluster is down: longer than others take to lead in its place. */
const DOWN = 12_000;
/** How long it serves before the next one is killed, at least. */
const SERVING = 8_000;
/** How often an instance joins or leaves. */
const CHANGE = 2_000;

export const scenarios: readonly Scenario[] = [
  {
    name: "consumer-killed",
    what: "the handling process is killed (SIGKILL) and started again",
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
    name: "broker-killed",
    what: "the broker is killed (SIGKILL) and started again on its data",
    times: 5,
    play: handling(killBroker),
  },
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
      await pause(UNHEARD);
      proxy.cut();
    }),
  },
  {
    name: "half-stuck",
    what: "every other connection passes on nothing for 100 ms, such as a handler's outputs while its acknowledgements arrive; then every connection is reset",
    times: 50,
    play: handling(async ({ proxy }, time) => {
      proxy.stallSome((place) => place % 2 === time % 2);
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
  {
    name: "rolling-deployment",
    what: "another handling process joins, then the one before is stopped cleanly, which may repeat nothing (L2)",
    times: 20,
    play: async (stage, times) => {
      const count = Math.ceil(stage.events / times);
      for (let time = 1; time <= times; time += 1) {
        // A burst for each, of which most is still to come when the process before is stopped.
        await stage.rollHandler(async () => {
          (await stage.startPublisher({ count: Math.min(count, stage.events - stage.ledger.confirmed) })).go();
          await stage.handled((time - 0.8) / times);
        });
        await stage.confirmed(Math.min(1, (time * count) / stage.events));
      }
      await stage.finish();
      const { duplicates } = stage.ledger;
      if (duplicates > stage.repeatedByRolling)
        stage.problems.push(`${duplicates} events were handled twice though every stop was clean`);
    },
  },
  {
    name: "instances-join-and-leave",
    what: "every 2 s another handling process joins or one is stopped cleanly",
    times: 30,
    play: async (stage, times) => {
      const changes: Promise<void>[] = [];
      const begun = performance.now();
      (await stage.startPublisher({ rate: (stage.events * 1_000) / (times * CHANGE) })).go();
      for (let time = 1; time <= times; time += 1) {
        await pause(begun + time * CHANGE - performance.now());
        const change = time % 2 === 1 ? stage.join() : stage.leave();
        changes.push(change.catch((error: unknown) => void stage.problems.push(String(error))));
      }
      await Promise.all(changes);
    },
  },
  {
    name: "each-broker-killed",
    what: "each broker of the cluster in turn is killed (SIGKILL) and started again on its data 12 s later",
    times: 3,
    clustered: true,
    play: async (stage, times) => {
      const { nodes } = stage.broker;
      // Slowly: the others go on meanwhile, and each kill has to find publishing and handling at work.
      (await stage.startPublisher({ rate: (stage.events * 1_000) / (times * (DOWN + SERVING)) })).go();
      for (let time = 1; time <= times; time += 1) {
        await stage.handled((time - 0.9) / times);
        const node = nodes[(time - 1) % nodes.length];
        await node?.kill();
        const { confirmed, handled } = stage.ledger;
        stage.notes.push(`kill ${time} at ${confirmed} confirmed, ${handled} handled`);
        if (confirmed >= stage.events) stage.problems.push(`kill ${time} found nothing to be published`);
        await pause(DOWN);
        await node?.restart();
      }
    },
  },
  {
    name: "retries-consumer-killed",
    what: "as consumer-killed, and one event in four fails once",
    times: 20,
    failing: 4,
    play: handling(killHandler),
  },
  {
    name: "retries-broker-killed",
    what: "as broker-killed, and one event in four fails once",
    times: 5,
    failing: 4,
    play: handling(killBroker),
  },
  {
    name: "retries-connections-cut",
    what: "as connections-cut, and one event in four fails once",
    times: 50,
    failing: 4,
    play: handling(cutConnections),
  },
];

async function killHandler(stage: Stage): Promise<void> {
  await stage.killHandler();
  await stage.startHandler();
}

async function killBroker({ broker }: Stage): Promise<void> {
  await broker.kill();
  await broker.restart();
}

async function cutConnections({ proxy }: Stage): Promise<void> {
  proxy.cut();
}

/** A scenario whose faults are spread evenly over the handling of all events. */
export function handling(fault: (stage: Stage, time: number) => Promise<void>): Scenario["play"] {
  return async (stage, times) => {
    await stage.publish();
    for (let time = 1; time <= times; time += 1) {
      await stage.handled(time / (times + 1));
      await fault(stage, time);
    }
  };
}
