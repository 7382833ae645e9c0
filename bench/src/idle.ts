import { fileURLToPath } from "node:url";
import { inOwnProcess } from "./own-process.ts";

/** What an app costs that has many use cases and nothing to do. */
interface Idleness {
  readonly useCases: number;
  /** Milliseconds until `start()` resolved: on a new broker, and when all that it makes there exists already. */
  readonly firstStart: number;
  readonly nextStart: number;
  /** Milliseconds until the first event had reached all. */
  readonly firstEvent: number;
  /** The share of one core. */
  readonly cpu: number;
  /** Resident memory, in bytes. */
  readonly resident: number;
  readonly text: string;
}

const ownFile = fileURLToPath(import.meta.url);
/** What follows a start, such as joining groups anew, is not idleness. */
const SETTLING = 3_000;

/** One app with so many use cases, in a process of its own, left alone for so many milliseconds. */
export function idleness(useCases: number, milliseconds: number, uri: string): Idleness {
  const args = [ownFile, String(useCases), String(milliseconds), uri];
  const measured = inOwnProcess<Omit<Idleness, "text">>("idleness", args);
  const { firstStart, nextStart, firstEvent, cpu, resident } = measured;
  const seconds = (duration: number) => `${(duration / 1_000).toFixed(2)} s`;
  const text = [
    `${useCases} use cases in one app on ${uri.replace(/:.*/s, "")}`,
    `  started in ${seconds(firstStart)} on a new broker, in ${seconds(nextStart)} the next time`,
    `  an event reached all of them in ${seconds(firstEvent)}`,
    `  idle ${(cpu * 100).toFixed(1)} % of a core, ${(resident / 1_048_576).toFixed(0)} MB resident\n`,
  ].join("\n");
  return { ...measured, text };
}

if (process.argv[1] === ownFile) await measure(Number(process.argv[2]), Number(process.argv[3]), process.argv[4] ?? "");

async function measure(useCases: number, milliseconds: number, uri: string): Promise<void> {
  const { PapaApp } = await import("@papa-events/core");
  const { transportFromUri } = await import("@papa-events/core/uri");
  const { setTimeout: pause } = await import("node:timers/promises");
  let left = useCases;
  let reachedAll = () => {};
  const all = new Promise<void>((resolve) => {
    reachedAll = resolve;
  });
  const make = () => {
    const app = new PapaApp({ transport: transportFromUri(uri) });
    for (let index = 0; index < useCases; index += 1) {
      app.onEvent("user.*", { useCase: `use_case_${index}` }, () => {
        left -= 1;
        if (left === 0) reachedAll();
      });
    }
    return app;
  };
  const started = async (app: ReturnType<typeof make>) => {
    const begun = performance.now();
    await app.start();
    return performance.now() - begun;
  };
  const first = make();
  const firstStart = await started(first);
  await first.stop();
  const app = make();
  const nextStart = await started(app);
  const published = performance.now();
  await app.newEvent("user.created", {});
  await all;
  const firstEvent = performance.now() - published;
  await pause(SETTLING);
  const before = process.cpuUsage();
  const begun = performance.now();
  await pause(milliseconds);
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / 1_000 / (performance.now() - begun);
  const { rss: resident } = process.memoryUsage();
  console.log(JSON.stringify({ useCases, firstStart, nextStart, firstEvent, cpu, resident }));
  await app.stop();
  process.exit(0);
}
