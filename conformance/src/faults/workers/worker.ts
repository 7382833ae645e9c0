// A process of the fault count: publishes, handles or collects. What it says goes to standard output at once, a fact per
// line: a pipe to a parent is written synchronously, so that what it said outlives its own `kill -9`.
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { isPapaError, type Logger, PapaApp } from "@papa-events/core";
import { transportOf } from "./access.ts";
import { EVENTS, type Order, type PublishOrder, USE_CASES } from "./order.ts";

/** How long a handler takes unless told, in milliseconds: long enough that every kill finds some at work. */
const HANDLING_MS = 2;
/** Longer than any outage here: a publish that gives up would be no loss, and no proof either. */
const PUBLISH_TIMEOUT = "5m";
const MEMORY_INTERVAL_MS = 100;
/** How often a start is tried, and how long after one that failed. */
const STARTS = 20;
const START_PAUSE_MS = 500;
/** How often a publisher looks whether it is still held. */
const HELD_MS = 20;

const order = JSON.parse(process.argv[2] ?? "{}") as Order;
const say = (fact: string, ...values: readonly (string | number)[]) => writeSync(1, `${[fact, ...values].join(" ")}\n`);
const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
// Connections are lost by intent; only what is worse is told, and counted by what it says.
const quiet = () => {};
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: (_, message = "") => say("logged", message) };

const transport = await transportOf(order);
const { drainTimeout, concurrency } = order.role === "handle" ? order : {};
// A worker that replaces a dead one may find the broker dead, too.
const shared = {
  transport,
  logger,
  waitForBroker: "2m",
  publishTimeout: PUBLISH_TIMEOUT,
  retryDelay: "100ms",
} as const;
const app = new PapaApp({ ...shared, drainTimeout, concurrency });
if (order.role === "handle") {
  const { failing = Number.NaN, poison, takes = HANDLING_MS } = order;
  app.onEvent(EVENTS.made, { useCase: USE_CASES.handle }, async (payload, { attempt }) => {
    const { number } = payload as { number: number };
    await sleep(takes);
    if (number === poison) process.kill(process.pid, "SIGKILL");
    if (attempt === 1 && number % failing === 0) throw new Error("the first attempt");
    say("handled", number, attempt);
    return { name: EVENTS.relayed, payload: { number } };
  });
} else if (order.role === "collect") {
  app.onEvent(EVENTS.relayed, { useCase: USE_CASES.collect }, (payload) => {
    say("collected", (payload as { number: number }).number);
  });
}

/** A publisher that is held begins no more calls. */
let held = false;
let begun = false;
await start();
setInterval(() => say("memory", process.memoryUsage.rss()), MEMORY_INTERVAL_MS);
const orders = createInterface(process.stdin);
// A parent that is gone needs no worker.
orders.once("close", () => process.exit());
orders.on("line", (line) => {
  if (line === "hold") held = true;
  if (line === "go") held = false;
  if (line === "go" && order.role === "publish" && !begun) {
    begun = true;
    void publish(order);
  }
  if (line === "stop") void app.stop().then(() => process.exit());
});
say("ready");

/** As a supervisor would: what a broker that dies meanwhile refuses is tried again. */
async function start(): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await app.start();
    } catch (error) {
      if (!isPapaError(error) || !error.retryable || attempts === STARTS) throw error;
      say("logged", `start() failed: ${error.code}`);
      await sleep(START_PAUSE_MS);
    }
  }
}

async function publish({ from, count, window, rate }: PublishOrder): Promise<void> {
  const interval = rate === undefined ? 0 : 1_000 / rate;
  let waiting = 0;
  let wake = quiet;
  const settled = () => {
    waiting -= 1;
    wake();
  };
  let due = performance.now();
  for (let number = from; number < from + count; number += 1) {
    while (held) await sleep(HELD_MS);
    while (waiting >= window) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    // After an outage it goes on at its pace, so that later faults find it at work too.
    due = Math.max(due + interval, performance.now() - 10);
    const early = due - performance.now();
    if (interval > 0 && early > 2) await sleep(early);
    waiting += 1;
    app
      .newEvent(EVENTS.made, { number })
      .then(() => say("confirmed", number))
      .catch((error: unknown) => say("rejected", number, isPapaError(error) ? error.code : String(error)))
      .finally(settled);
  }
}
