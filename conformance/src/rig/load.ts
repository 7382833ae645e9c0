import type { PapaApp } from "@papa-events/core";
import type { Rig } from "./rig.ts";
import { pause } from "./until.ts";

/** How many events are published at once, and the pause after them. */
const BURST = 10;
const PAUSE_MS = 100;

/** Publishes `load` without end, until it is stopped. */
export class Load {
  readonly #ids: string[] = [];
  readonly #ended: Promise<void>;
  #open = true;

  constructor(rig: Rig, publisher: PapaApp) {
    this.#ended = this.#publish(publisher);
    this.#ended.catch((err: unknown) => rig.log.error({ err }, "the load has ended by itself"));
    rig.onClose(() => {
      this.#open = false;
    });
  }

  /** Resolves to the ids of all that was published. */
  async stop(): Promise<readonly string[]> {
    this.#open = false;
    await this.#ended;
    return this.#ids;
  }

  async #publish(publisher: PapaApp): Promise<void> {
    while (this.#open) {
      const published = await Promise.all(Array.from({ length: BURST }, () => publisher.newEvent("load", {})));
      this.#ids.push(...published.map(({ id }) => id));
      await pause(PAUSE_MS);
    }
  }
}
