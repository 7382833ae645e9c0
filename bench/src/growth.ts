import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How resident memory develops over many events. */
export interface Growth {
  readonly events: number;
  /** Bytes, after a tenth of the events and at the end. */
  readonly before: number;
  readonly after: number;
  readonly text: string;
}

const ownFile = fileURLToPath(import.meta.url);

/** Sends `events` events through the memory transport, in a process of its own. The bar: flat within 10 %. */
export function memoryGrowth(events: number): Growth {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", ownFile, String(events)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`memory-growth failed:\n${stderr}`);
  const { before, after } = JSON.parse(stdout) as { before: number; after: number };
  const change = ((after / before - 1) * 100).toFixed(1);
  const text = `Memory over ${events} events: ${megabytes(before)} after a tenth, ${megabytes(after)} at the end (${change} %)\n`;
  return { events, before, after, text };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MB`;
}

if (process.argv[1] === ownFile) await measure(Number(process.argv[2]));

async function measure(events: number): Promise<void> {
  const { oneByOne, publishAndHandle } = await import("./publish-and-handle.ts");
  const work = await publishAndHandle({ publish: oneByOne });
  await work.run(events / 10);
  const before = residentMemory();
  await work.run(events - events / 10);
  const after = residentMemory();
  await work.close?.();
  console.log(JSON.stringify({ before, after }));
}

/** After a collection, so that it is what is held that is compared, and not when the last collection was. */
function residentMemory(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}
