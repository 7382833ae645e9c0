import { type DeadLetterReason, type Logger, PapaApp, type PapaAppOptions, type UseCase } from "@papa-events/core";
import { onTestFinished } from "vitest";
import { type MemoryOptions, type MemoryTransport, memory, type VirtualClock, virtualClock } from "../src/index.ts";

export const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A broker whose time the test moves, and apps on it that are stopped when the test ends. */
export class World {
  readonly clock: VirtualClock = virtualClock();
  readonly transport: MemoryTransport;

  constructor(options: Omit<MemoryOptions, "clock"> = {}) {
    this.transport = memory({ clock: this.clock, ...options });
  }

  /** Starts an app with these use cases. */
  async start(useCases: readonly UseCase[], options: Omit<PapaAppOptions, "transport"> = {}): Promise<PapaApp> {
    const app = new PapaApp({ transport: this.transport, logger: silent, ...options }).use(useCases);
    await app.start();
    onTestFinished(async () => {
      const stopped = app.stop();
      // A handler that the test left hanging is waited for until the drain timeout, which this clock has to reach.
      await this.clock.advance("31s");
      await stopped;
    });
    return app;
  }

  /** An app that only publishes. */
  publisher(options: Omit<PapaAppOptions, "transport"> = {}): Promise<PapaApp> {
    return this.start([], options);
  }
}

/** Waits, in real time, until `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > limit) throw new Error(`waited 20 s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Something that a test opens: what waits for it goes on then. */
export class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** The reasons of a use case's dead letters, oldest first. */
export async function reasonsOf(app: PapaApp, useCase: string): Promise<DeadLetterReason[]> {
  const { items } = await app.deadLetters(useCase).list({ order: "oldest" });
  return items.map(({ reason }) => reason);
}
