import { operator } from "@papa-events/core/operator";
import { transportFromUri } from "@papa-events/core/uri";
import { shownUrl } from "./broker-url.ts";
import { demoUseCases, Outside } from "./use-cases/index.ts";

/** Removes the use cases of a run with all their events and dead letters; what is not the demo's stays. */
export async function clean(url: string): Promise<void> {
  await using ops = operator(transportFromUri(url), { name: "papa-events-demo" });
  const made = new Set(demoUseCases(new Outside()).map(({ name }) => name));
  const useCases = (await ops.useCases()).filter(({ name }) => made.has(name));
  await Promise.all(useCases.map(({ name }) => ops.remove(name, { deadLetters: "purge" })));
  for (const { name, stats } of useCases) console.log(`  removed  ${name.padEnd(22)}${stats.dead} dead letters`);
  if (useCases.length > 0)
    console.log("  The namespace itself stays, empty; on Kafka also what was published, until it expires.");
  else console.log(`  nothing of the demo is on ${shownUrl(url)}`);
}
