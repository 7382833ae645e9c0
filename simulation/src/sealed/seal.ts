import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import { FakeDate } from "./fake-date.ts";
import { fakeTimers } from "./fake-timers.ts";
import { stageIfAny } from "./stage.ts";

/**
 * Replaces everything by which a program of this thread learns the real time, meets real chance or waits for the real
 * event loop. Timers, dates and chance become those of the run that goes on; whatever else would let the real world in
 * fails, and the run with it. For good: a thread is sealed once, before the code under test is loaded.
 */
export function seal(): void {
  Object.assign(globalThis, fakeTimers, { Date: FakeDate });
  Object.assign(timers, fakeTimers);
  for (const name of ["setTimeout", "setImmediate", "setInterval"]) forbid(timersPromises, name, "timers/promises");
  forbid(timersPromises.scheduler, "wait", "timers/promises.scheduler");
  forbid(timersPromises.scheduler, "yield", "timers/promises.scheduler");

  performance.now = () => stageIfAny()?.now() ?? 0;
  for (const name of ["mark", "measure", "timerify"]) forbid(performance, name, "performance");
  for (const name of ["hrtime", "uptime", "cpuUsage"]) forbid(process, name, "process");
  forbid(AbortSignal, "timeout", "AbortSignal");
  forbid(Atomics, "wait", "Atomics");
  forbid(Atomics, "waitAsync", "Atomics");
  forbid(globalThis, "fetch", "globalThis");

  Math.random = random;
  Object.assign(crypto, { randomBytes, randomUUID });
  Object.assign(globalThis.crypto, { randomUUID });
  for (const name of ["randomInt", "randomFill", "randomFillSync"]) forbid(crypto, name, "crypto");
  // The same function of `node:crypto` cannot be replaced; that a run repeats itself is checked as well.
  forbid(globalThis.crypto, "getRandomValues", "crypto");
  syncBuiltinESMExports();
}

function forbid(owner: object, member: string, ownerName: string): void {
  const what = `${ownerName}.${member}`;
  Object.defineProperty(owner, member, {
    configurable: true,
    value: () => {
      stageIfAny()?.touched(what);
      throw new Error(`${what} is the real world's; a run may not touch it.`);
    },
  });
}

/** Modules that draw a number when they are loaded get always the same. */
function random(): number {
  return stageIfAny()?.random() ?? 0.5;
}

function randomBytes(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
}

function randomUUID(): string {
  const hex = randomBytes(16).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
