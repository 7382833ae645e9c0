// A process that tests kill. What it says goes to standard output at once, one word per line: a pipe to a parent is
// written synchronously, so that what it said last is what it did last.
import { writeSync } from "node:fs";
import { PapaApp } from "@papa-events/core";
import type { Transport } from "@papa-events/core/transport";

interface Order {
  readonly role: "publish" | "consume";
  readonly module: string;
  readonly uri: string;
  readonly events: number;
  readonly takes: number;
}

const order = JSON.parse(process.argv[2] ?? "{}") as Order;
const { fromUri } = (await import(order.module)) as { fromUri: (uri: string) => Transport };
const transport = fromUri(order.uri);
const say = (word: string) => writeSync(1, `${word}\n`);

if (order.role === "publish") {
  const app = new PapaApp({ transport });
  await app.start();
  await Promise.all(
    Array.from({ length: order.events }, async (_, number) => say((await app.newEvent("made", { number })).id)),
  );
  process.kill(process.pid, "SIGKILL");
} else {
  const app = new PapaApp({ transport, retryDelay: 100 });
  app.onEvent("made", { useCase: "relay", concurrency: 5 }, async (payload, { id }) => {
    say(id);
    await new Promise((resolve) => setTimeout(resolve, order.takes));
    return { name: "relayed", payload: { id, payload } };
  });
  await app.start();
  say("ready");
}
