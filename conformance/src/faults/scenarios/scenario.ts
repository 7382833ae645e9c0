import { pause } from "../../rig/until.ts";
import type { Target } from "../brokers/target.ts";
import type { Stage } from "../stage/stage.ts";

/** Something that goes wrong, so many times, while events are published and handled. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** How often it goes wrong. */
  readonly times: number;
  /** How many processes handle at first; 2 unless set. */
  readonly fleet?: number;
  /** How many processes collect; 1 unless set. */
  readonly collectors?: number;
  /** Whether the transport has to notice soon that nobody answers. */
  readonly alert?: boolean;
  /** Every event whose number this divides fails at its first attempt, and is retried after 100 ms. */
  readonly failing?: number;
  /** How long a clean stop waits for handlers, in milliseconds. */
  readonly drainTimeout?: number;
  /** How long a handler takes, in milliseconds, where so many events are published; and how many run at once. */
  readonly takes?: (events: number) => number;
  readonly concurrency?: number;
  /** The number of an event that kills every process that handles it. */
  readonly poison?: number;
  /** How many dead letters there have to be; none unless set. */
  readonly dead?: number;
  /** The only kind of broker that it can happen to; any unless set. */
  readonly kind?: Target["kind"];
  /** Whether it takes a cluster, or a broker alone; either unless set. */
  readonly clustered?: boolean;
  /** Whether it takes a broker that can be full. */
  readonly full?: boolean;
  readonly play: (stage: Stage, times: number) => Promise<void>;
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

/** From when on after a change each instance has its share (R8), in milliseconds. */
export const SETTLED_MS = 10_000;

/** Publishes a share of the events in so long a time, in milliseconds. */
export async function publishFor(stage: Stage, share: number, milliseconds: number): Promise<void> {
  const count = Math.min(Math.ceil(share * stage.events), stage.events - stage.ledger.confirmed);
  (await stage.startPublisher({ count, rate: (count * 1_000) / milliseconds })).go();
}

/** Sees to it that of what is handled while `meanwhile` goes on each instance handles at least half of its fair share (R8). */
export async function sharedFairly(stage: Stage, meanwhile: () => Promise<void>): Promise<void> {
  const { handlers, notes, problems, target } = stage;
  const before = handlers.counts();
  await meanwhile();
  const shares = handlers.sharesSince(before);
  const text = shares.map((share) => share.toFixed(0)).join(", ");
  notes.push(`of what was handled at last each process had ${text} %`);
  const sharing = Math.min(shares.length, target.mostInstances ?? shares.length);
  const enough = shares.filter((share) => share >= 100 / sharing / 2);
  if (enough.length < sharing)
    problems.push(`not each of ${sharing} processes had half of its fair share (R8): ${text} %`);
}

/** Waits until all nodes of a cluster have what the next fault takes. */
export async function whole({ target, broker, problems }: Stage, limit = 60_000): Promise<void> {
  const since = performance.now();
  while (!(await target.operator.isWhole(broker))) {
    if (performance.now() - since > limit) {
      problems.push(`the cluster was not whole again within ${limit / 1_000} s`);
      return;
    }
    await pause(200);
  }
}
