import type { PapaApp } from "@papa-events/core";
import { type Act, Calls } from "./calls.ts";
import type { AppOptions, Rig } from "./rig.ts";

/** How the instances of a {@link Fleet} are made. */
export interface FleetOptions extends AppOptions {
  readonly useCase: string;
  readonly patterns: readonly string[];
  readonly act?: Act | undefined;
}

/** One instance of a use case, as one process would run it. */
export interface Instance {
  readonly app: PapaApp;
  readonly calls: Calls;
}

/** Instances of one use case, each with calls of its own. */
export class Fleet {
  readonly instances: Instance[] = [];
  readonly #rig: Rig;
  readonly #options: FleetOptions;

  constructor(rig: Rig, options: FleetOptions) {
    this.#rig = rig;
    this.#options = options;
  }

  /** Starts one more, which may differ from the others. */
  async join(other: Partial<FleetOptions> = {}): Promise<Instance> {
    const { useCase, patterns, act, ...options } = { ...this.#options, ...other };
    const calls = new Calls(act);
    const app = this.#rig.app(options).onEvent(patterns, { useCase }, calls.handler);
    await app.start();
    const instance = { app, calls };
    this.instances.push(instance);
    return instance;
  }

  /** Stops one cleanly. */
  async leave(instance: Instance): Promise<void> {
    this.instances.splice(this.instances.indexOf(instance), 1);
    await instance.app.stop();
  }

  /** How many events each of those that are here has handled, the most first, less what it had before. */
  shares(before: ReadonlyMap<Instance, number> = new Map()): number[] {
    return this.instances.map((instance) => instance.calls.count - (before.get(instance) ?? 0)).sort((a, b) => b - a);
  }

  /** How many events each has handled up to now. */
  counts(): ReadonlyMap<Instance, number> {
    return new Map(this.instances.map((instance) => [instance, instance.calls.count]));
  }
}
