import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PapaApp, RetryAfter } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";
import { inOwnProcess, quiet } from "./own-process.ts";

/** What became of many retries that waited together while apps came and went. */
export interface Waiting {
  readonly retries: number;
  /** Those that came before they were due; there must be none. */
  readonly early: number;
  /** Those that came more than once; there must be none, since each app stopped cleanly. */
  readonly again: number;
  /** Milliseconds after they were due. */
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  /** The most resident memory of an app that has nothing to do with them, in bytes. */
  readonly bystander: number;
  readonly text: string;
}

const ownFile = fileURLToPath(import.meta.url);
/** What is due in a second: each waits for a time of its own. */
const RATE = 1_667;
/** When the first is due: by then all of them wait. */
const FIRST_DUE_MS = 30_000;
/** When an app is stopped and another started in its place, in shares of the time until the last is due. */
const STOPS = [0.2, 0.5, 0.7];
const REPORT_MS = 200;

/** An event's place in the order of publishing, and how late its retry was, in milliseconds. */
type Seen = readonly [index: number, late: number];

/** So many events that fail once, with a delay of its own each, handled by two apps of which three are stopped meanwhile. */
export function waitingRetries(retries: number, uri: string): Waiting {
  const measured = inOwnProcess<Omit<Waiting, "text">>("waiting retries", [ownFile, uri, "all", String(retries)]);
  const { early, again, p50, p99, most, bystander } = measured;
  const text = [
    `${retries} retries waiting together on ${uri.replace(/:.*/s, "")}, ${RATE} due a second, two apps, three of them replaced`,
    `  early ${early}, twice ${again}; late p50 ${p50} ms, p99 ${p99} ms, at most ${most} ms`,
    `  an app beside them: ${(bystander / 1_048_576).toFixed(0)} MB at most\n`,
  ].join("\n");
  return { ...measured, text };
}

if (process.argv[1] === ownFile) {
  const [uri = "", role, retries] = process.argv.slice(2);
  if (role === "all") await measure(Number(retries), uri);
  else await takePart(uri, role === "handler");
}

async function measure(retries: number, uri: string): Promise<void> {
  const times = new Uint8Array(retries);
  const late: number[] = [];
  let handled = 0;
  const add = (seen: readonly Seen[]) => {
    for (const [index, milliseconds] of seen) {
      if (times[index] === 0) handled += 1;
      times[index] = (times[index] ?? 0) + 1;
      late.push(milliseconds);
    }
  };
  const bystander = await started(uri, "bystander", () => {});
  const handlers = await Promise.all([started(uri, "handler", add), started(uri, "handler", add)]);
  const publisher = new PapaApp({ transport: transportFromUri(uri), logger: quiet });
  await publisher.start();
  const begun = Date.now();
  const dueAt = (index: number) => begun + FIRST_DUE_MS + (index * 1_000) / RATE;
  for (let index = 0; index < retries; index += 100) {
    const payloads = Array.from({ length: 100 }, (_, at) => ({ index: index + at, dueAt: dueAt(index + at) }));
    await publisher.newEvents(payloads.map((payload) => ({ name: "slow.one", payload })));
  }
  for (const share of STOPS) {
    await pause(Math.max(0, begun + share * (dueAt(retries) - begun) - Date.now()));
    const [first, other] = handlers.splice(0, 2);
    if (first === undefined || other === undefined) throw new Error("A handling process is missing.");
    handlers.push(other, await started(uri, "handler", add));
    await ended(first);
  }
  while (handled < retries) await pause(REPORT_MS);
  const [, { resident }] = await Promise.all([Promise.all(handlers.map(ended)), ended(bystander), publisher.stop()]);
  late.sort((one, other) => one - other);
  const at = (share: number) => late[Math.floor((late.length - 1) * share)] ?? 0;
  const again = times.reduce((sum, each) => sum + each, 0) - handled;
  const early = late.filter((each) => each < 0).length;
  console.log(JSON.stringify({ retries, early, again, p50: at(0.5), p99: at(0.99), most: at(1), bystander: resident }));
}

/** A process of its own that runs an app, when it has started. */
async function started(uri: string, role: string, onSeen: (seen: readonly Seen[]) => void): Promise<ChildProcess> {
  const child = fork(ownFile, [uri, role], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  child.on("message", (message: { seen?: readonly Seen[] }) => onSeen(message.seen ?? []));
  await once(child, "message");
  return child;
}

/** Stops the app of a process, and its last words. */
async function ended(child: ChildProcess): Promise<{ resident: number }> {
  let resident = 0;
  child.on("message", (message: { resident?: number }) => {
    resident = message.resident ?? resident;
  });
  child.send("stop");
  await once(child, "exit");
  return { resident };
}

async function takePart(uri: string, handles: boolean): Promise<void> {
  const seen: Seen[] = [];
  const report = () => process.send?.({ seen: seen.splice(0) });
  const app = new PapaApp({ transport: transportFromUri(uri), concurrency: 200, logger: quiet });
  if (handles) {
    app.onEvent("slow.*", { useCase: "retried" }, (payload, { attempt }) => {
      const { index, dueAt } = payload as { index: number; dueAt: number };
      if (attempt === 1) throw new RetryAfter(Math.max(1, Math.ceil(dueAt - Date.now())));
      seen.push([index, Math.round(Date.now() - dueAt)]);
    });
  } else app.onEvent("quick", { useCase: "bystander" }, () => {});
  await app.start();
  report();
  const reporting = setInterval(report, REPORT_MS);
  await once(process, "message");
  await app.stop();
  clearInterval(reporting);
  report();
  // Of the system, in kilobytes, since its start.
  process.send?.({ resident: process.resourceUsage().maxRSS * 1_024 });
  process.disconnect();
}
