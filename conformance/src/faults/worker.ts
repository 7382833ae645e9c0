// A process of the fault count: publishes, handles or collects. What it says goes to standard output at once, a fact per
// line: a pipe to a parent is written synchronously, so that what it said outlives its own `kill -9`.
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { isPapaError, type Logger, PapaApp } from "@papa-events/core";
import type { Transport } from "@papa-events/core/transport";
import { transportFromUri } from "@papa-events/core/uri";
import { type Order, type PublishOrder, USE_CASES } from "./order.ts";

/** How long a handler takes, in milliseconds: long enough that every kill finds some at work. */
const HANDLING = 2;
/** Longer than any outage here: a publish that gives up would be no loss, and no proof either. */
const PUBLISH_TIMEOUT = "5m";
const MEMORY_INTERVAL = 100;

const order = JSON.parse(process.argv[2] ?? "{}") as Order;
const say = (fact: string, ...values: readonly (string | number)[]) => writeSync(1, `${[fact, ...values].join(" ")}\n`);
const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
// Connections are lost by intent; only what is worse belongs on standard error.
const quiet = () => {};
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: console.error };

const transport = await transportOf(order);
const app = new PapaApp({ transport, logger, publishTimeout: PUBLISH_TIMEOUT, retryDelay: "100ms" });
if (order.role === "handle") {
  const { failing = Number.NaN } = order;
  app.onEvent("fault.made", { useCase: USE_CASES.handle }, async (payload, { attempt }) => {
    const { number } = payload as { number: number };
    await sleep(HANDLING);
    if (attempt === 1 && number % failing === 0) throw new Error("the first attempt");
    say("handled", number, attempt);
    return { name: "fault.relayed", payload: { number } };
  });
} else if (order.role === "collect") {
  app.onEvent("fault.relayed", { useCase: USE_CASES.collect }, (payload) => {
    say("collected", (payload as { number: number }).number);
  });
}

await app.start();
setInterval(() => say("memory", process.memoryUsage.rss()), MEMORY_INTERVAL);
const orders = createInterface(process.stdin);
// A parent that is gone needs no worker.
orders.once("close", () => process.exit());
orders.on("line", (line) => {
  if (line === "go" && order.role === "publish") void publish(order);
  if (line === "stop") void app.stop().then(() => process.exit());
});
say("ready");

async function transportOf({ uri, routing }: Order): Promise<Transport> {
  if (routing === undefined) return transportFromUri(uri);
  const { module, routes } = routing;
  const route = (host: string, port: number) => {
    const [by = host, at = port] = routes[`${host}:${port}`]?.split(":") ?? [];
    return { host: by, port: Number(at) };
  };
  const { kafka } = (await import(module)) as { kafka(options: { uri: string; route: typeof route }): Transport };
  return kafka({ uri, route });
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
      .newEvent("fault.made", { number })
      .then(() => say("confirmed", number))
      .catch((error: unknown) => say("rejected", number, isPapaError(error) ? error.code : String(error)))
      .finally(settled);
  }
}
