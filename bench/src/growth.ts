import { fileURLToPath } from "node:url";
import { inOwnProcess } from "./own-process.ts";

/** What a process holds, in bytes. */
interface Held {
  readonly resident: number;
  readonly heap: number;
}

/** How memory develops over many events. */
export interface Growth {
  readonly events: number;
  readonly before: Held;
  readonly after: Held;
  readonly text: string;
}

const ownFile = fileURLToPath(import.meta.url);

/**
 * Sends `events` events through a transport, in a process of its own that has warmed up with half as many: by then V8 has
 * given its young generation the size it keeps. The bar: resident memory flat within 10 %, on a network within 15 %.
 */
export function memoryGrowth(events: number, uri = "memory:"): Growth {
  const args = ["--expose-gc", ownFile, String(events), uri];
  const { before, after, server } = inOwnProcess<{ before: Held; after: Held; server?: number[] }>("memory", args);
  const change = ((after.resident / before.resident - 1) * 100).toFixed(1);
  const perEvent = ((after.heap - before.heap) / events).toFixed(2);
  const text = [
    `Memory over ${events} events on ${uri.replace(/:.*/s, "")}`,
    `  resident ${megabytes(before.resident)} -> ${megabytes(after.resident)} (${change} %)`,
    `  heap     ${megabytes(before.heap)} -> ${megabytes(after.heap)} (${perEvent} bytes an event)`,
    ...(server === undefined ? [] : [`  server   ${server.map(megabytes).join(" -> ")} while nothing waits`]),
    "",
  ].join("\n");
  return { events, before, after, text };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}

if (process.argv[1] === ownFile) await measure(Number(process.argv[2]), process.argv[3] ?? "memory:");

async function measure(events: number, uri: string): Promise<void> {
  const { oneByOne, publishAndHandle } = await import("./publish-and-handle.ts");
  const work = await publishAndHandle({ publish: oneByOne, uri });
  await work.run(events / 2);
  const before = held();
  const served = await serversMemory(uri);
  await work.run(events);
  const after = held();
  const server = served === undefined ? undefined : [served, await serversMemory(uri)];
  await work.close?.();
  console.log(JSON.stringify({ before, after, server }));
}

/** What a Redis holds, in bytes; `undefined` of other brokers. */
async function serversMemory(uri: string): Promise<number | undefined> {
  if (!uri.startsWith("redis:")) return undefined;
  const { Redis } = await import("ioredis");
  const redis = new Redis(uri);
  const info = await redis.info("memory");
  redis.disconnect();
  return Number(/used_memory:(\d+)/.exec(info)?.[1]);
}

/** After a collection, so that it is what is held that is compared, and not when the last collection was. */
function held(): Held {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return { resident: rss, heap: heapUsed };
}
