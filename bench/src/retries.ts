import { fileURLToPath } from "node:url";
import { inOwnProcess, quiet } from "./own-process.ts";

/** How punctual retries are, in milliseconds after they were due. */
export interface Punctuality {
  readonly retries: number;
  /** Those that came before they were due; there must be none. */
  readonly early: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  /** How long an event took to its handler while all of them waited. */
  readonly meanwhileP99: number;
  readonly text: string;
}

const ownFile = fileURLToPath(import.meta.url);
/** What the retries wait, in milliseconds: their queues, buckets or scores are not all the same. */
const DELAYS = [500, 1_000, 2_000, 3_000, 5_000];

/**
 * So many events that fail once, with mixed delays, in a process of its own, and this number of apps that handle them; others are
 * published while they wait.
 */
export function retryPunctuality(retries: number, uri: string, apps = 1): Punctuality {
  const args = [ownFile, String(retries), uri, String(apps)];
  const measured = inOwnProcess<Omit<Punctuality, "text">>("retries", args);
  const { early, p50, p99, most, meanwhileP99 } = measured;
  const text = [
    `${retries} retries of ${DELAYS.join(", ")} ms waiting together, ${apps === 1 ? "one app" : `${apps} apps`}`,
    `  early ${early}; late p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, at most ${most.toFixed(1)} ms`,
    `  events published meanwhile reached their handler within ${meanwhileP99.toFixed(1)} ms (p99)\n`,
  ].join("\n");
  return { ...measured, text };
}

if (process.argv[1] === ownFile) {
  const [retries, uri = "", apps] = process.argv.slice(2);
  await measure(Number(retries), uri, Number(apps));
}

async function measure(retries: number, uri: string, count: number): Promise<void> {
  const { PapaApp, RetryAfter } = await import("@papa-events/core");
  const { transportFromUri } = await import("@papa-events/core/uri");
  const { setTimeout: pause } = await import("node:timers/promises");
  const due = new Map<string, number>();
  const late: number[] = [];
  const meanwhile: number[] = [];
  const makeApp = () =>
    new PapaApp({ transport: transportFromUri(uri), concurrency: 200, logger: quiet })
      .onEvent("slow.*", { useCase: "retried" }, async (payload, { id, attempt }) => {
        if (attempt === 1) {
          const delay = DELAYS[(payload as { index: number }).index % DELAYS.length] ?? 500;
          due.set(id, performance.now() + delay);
          throw new RetryAfter(delay);
        }
        late.push(performance.now() - (due.get(id) ?? 0));
      })
      .onEvent("slow.*", { useCase: "bystander" }, () => {})
      .onEvent("quick", { useCase: "retried_not" }, (payload) => {
        meanwhile.push(performance.now() - (payload as { at: number }).at);
      });
  const app = makeApp();
  const apps = [app, ...Array.from({ length: count - 1 }, makeApp)];
  await Promise.all(apps.map((each) => each.start()));
  // Once, so that what is made for each delay is there.
  await app.newEvents(DELAYS.map((_, index) => ({ name: "slow.first", payload: { index } })));
  while (late.length < DELAYS.length) await pause(50);
  late.length = 0;
  for (let index = 0; index < retries; index += 100)
    await app.newEvents(Array.from({ length: 100 }, (_, at) => ({ name: "slow.one", payload: { index: index + at } })));
  while (late.length < retries) {
    await app.newEvent("quick", { at: performance.now() });
    await pause(20);
  }
  await Promise.all(apps.map((each) => each.stop()));
  const at = (values: number[], q: number) => values.sort((a, b) => a - b)[Math.floor(values.length * q)] ?? 0;
  const early = late.filter((each) => each < 0).length;
  const [p50, p99, most] = [at(late, 0.5), at(late, 0.99), at(late, 0.999_999)];
  console.log(JSON.stringify({ retries, early, p50, p99, most, meanwhileP99: at(meanwhile, 0.99) }));
  process.exit(0);
}
