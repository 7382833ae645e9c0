import { pause } from "../../rig/until.ts";
import type { Stage } from "../stage/stage.ts";

/** How many calls of `newEvent` wait at once in a publisher that waits for them. */
const WAITING = 2_000;
const MIB = 1_048_576;
/** How much the memory of such a publisher may grow from the third to the tenth second of an outage. */
const GROWTH = 32 * MIB;
/** How much a call that waits may take, whose payload has some 20 bytes. */
const PER_CALL = 8_192;

/** A publisher's memory while the broker is away. */
export async function publishersMemory(stage: Stage): Promise<void> {
  await boundedByItself(stage);
  await allWaiting(stage);
}

/** A publisher that waits for its calls, and has 2,000 of them waiting for as long as the broker is away. */
async function boundedByItself(stage: Stage): Promise<void> {
  const { broker, events, notes, problems } = stage;
  const publisher = await stage.startPublisher({ window: WAITING, count: Math.floor(events / 2) });
  publisher.go();
  await stage.handled(0.1);
  await broker.kill();
  await pause(3_000);
  const early = publisher.memory;
  await pause(7_000);
  const late = publisher.memory;
  await broker.restart();
  await stage.confirmed(0.5);
  const waiting = Math.min(WAITING, Math.floor(events / 2)).toLocaleString("en");
  notes.push(`${waiting} calls waiting: RSS ${mib(early)} after 3 s and ${mib(late)} after 10 s`);
  if (late - early > GROWTH) problems.push("a publisher's memory grows while the broker is away");
}

/** A publisher that waits for nothing. */
async function allWaiting(stage: Stage): Promise<void> {
  const { broker, events, ledger, notes, problems } = stage;
  const waiting = events - ledger.confirmed;
  const publisher = await stage.startPublisher({ window: waiting, rate: undefined });
  await broker.kill();
  await pause(500);
  const before = publisher.memory;
  publisher.go();
  await pause(3_000);
  const early = publisher.memory;
  await pause(7_000);
  const late = publisher.memory;
  await broker.restart();
  const perCall = (late - before) / waiting;
  notes.push(
    `${waiting.toLocaleString("en")} calls waiting: RSS ${mib(before)} before them, ${mib(early)} after 3 s and ` +
      `${mib(late)} after 10 s, ${(perCall / 1_024).toFixed(1)} KiB each`,
  );
  if (late - early > GROWTH) problems.push("a publisher's memory grows while the broker is away");
  // A few calls are less than what a runtime's memory varies by.
  if (late - before > GROWTH && perCall > PER_CALL) problems.push("a call that waits takes too much memory");
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
