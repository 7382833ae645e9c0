import { setTimeout as pause } from "node:timers/promises";
import type { Broker } from "@papa-events/conformance/brokers";
import { type Logger, PapaApp, type PapaAppOptions, type UseCase } from "@papa-events/core";
import { type Operator, operator, type UseCaseInfo } from "@papa-events/core/operator";
import { transportFromUri } from "@papa-events/core/uri";

/** How long something that a page promises may take on a busy machine. */
const PATIENCE_MS = 45_000;

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Where a symptom is caused: a namespace of its own on a real broker, and the services that run there. */
export class Site {
  readonly broker: Broker;
  /** What `PAPA_BROKER_URL` is; a situation may put a way of its own in its place. */
  url: string;
  readonly ops: Operator;
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(broker: Broker, prefix: string) {
    this.broker = broker;
    this.url = `${broker.uri}?prefix=${prefix}`;
    this.ops = operator(transportFromUri(this.url), { logger: silent });
    this.#undo.push(() => this.ops.close());
  }

  /** Starts a service. */
  async service(name: string, useCases: readonly UseCase[], options: Partial<PapaAppOptions> = {}): Promise<PapaApp> {
    const transport = transportFromUri(this.url);
    const app = new PapaApp({ transport, name, logger: silent, drainTimeout: "100ms", ...options });
    app.use(useCases);
    this.afterwards(() => app.stop());
    await app.start();
    return app;
  }

  /** Has something done at the end, whatever happens. */
  afterwards(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  async close(): Promise<void> {
    const results = await Promise.allSettled(this.#undo.toReversed().map((undo) => undo()));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}

/** Waits for a condition. @throws Error that says what was waited for, and how it was instead */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  instead = () => "",
): Promise<void> {
  const started = performance.now();
  while (!(await condition())) {
    if (performance.now() - started > PATIENCE_MS) throw new Error(`It was waited for in vain: ${what}${instead()}`);
    await pause(50);
  }
}

/** Waits until a use case has as many events of a kind. */
export function untilThereAre(
  { ops }: Site,
  useCase: string,
  wanted: Partial<Record<"ready" | "inFlight" | "waiting" | "dead", number>>,
): Promise<void> {
  let stats: UseCaseInfo["stats"] | undefined;
  return until(
    `${useCase} has ${JSON.stringify(wanted)}`,
    async () => {
      const known = await ops.useCases();
      const now = (stats = known.find(({ name }) => name === useCase)?.stats);
      return (
        now !== undefined &&
        (Object.keys(wanted) as (keyof typeof wanted)[]).every((kind) => now[kind] === wanted[kind])
      );
    },
    () => `; it has ${JSON.stringify(stats)}`,
  );
}

/** Waits until nothing is left of a use case to do, nobody has paused it, and nothing of it is dead. */
export async function untilAllIsWell(site: Site, ...useCases: readonly string[]): Promise<void> {
  for (const useCase of useCases) {
    await untilThereAre(site, useCase, { ready: 0, inFlight: 0, waiting: 0, dead: 0 });
    const stats = await site.ops.stats(useCase);
    if (stats[useCase]?.paused !== false) throw new Error(`${useCase} is still paused`);
  }
}
