// A process that is made to be killed: publishes or handles numbered events. What it says goes to a pipe at once, so that
// what it said last is what it did last.
import { writeSync } from "node:fs";
import { PapaApp } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";

/** Events that fail at their first attempt: every fiftieth. */
const FAILING = 50;

const [role = "", uri = "", from = "0", to = "0", perSecond = "1000"] = process.argv.slice(2);
const say = (line: string) => writeSync(1, `${line}\n`);
const logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (_: unknown, text?: string) => console.error(text),
};
const app = new PapaApp({ transport: transportFromUri(uri), logger, retryDelay: 500, publishTimeout: "2m" });

if (role === "publish") await publish(Number(from), Number(to), Number(perSecond));
else await handle();

async function publish(first: number, end: number, rate: number): Promise<void> {
  await app.start();
  setInterval(() => say(`memory ${process.memoryUsage().rss}`), 100).unref();
  const begun = performance.now();
  const underWay: Promise<unknown>[] = [];
  for (let number = first; number < end; number += 1) {
    // Due times and not pauses: while the broker is away the calls pile up, as those of a service would.
    const early = begun + ((number - first) / rate) * 1_000 - performance.now();
    if (early > 5) await new Promise((resolve) => setTimeout(resolve, early));
    underWay.push(app.newEvent("made", { number }).then(() => say(`confirmed ${number}`)));
  }
  await Promise.all(underWay);
  await app.stop();
  process.exit(0);
}

async function handle(): Promise<void> {
  app.onEvent("made", { useCase: "relay" }, async (payload, { attempt }) => {
    const { number } = payload as { number: number };
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (number % FAILING === 0 && attempt === 1) throw new Error("the first attempt fails");
    say(`handled ${number}`);
    return { name: "relayed", payload };
  });
  app.onEvent("relayed", { useCase: "collect" }, (payload) => {
    say(`collected ${(payload as { number: number }).number}`);
  });
  app.onEvent("#", { useCase: "watch" }, () => {});
  await app.start();
  say("ready");
  process.on("SIGTERM", () => void app.stop().then(() => process.exit(0)));
}
