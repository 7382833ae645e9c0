import type { Channels } from "../client/channels.ts";
import type { Locks } from "../client/locks.ts";
import { sleep } from "../client/sleep.ts";
import { type DocumentAccess, type DocumentKind, SharedDocument } from "../declarations/shared-document.ts";
import type { Names } from "../wire/names.ts";

/** A node that is killed sooner may forget a quorum queue that was just declared. */
const SETTLING_MS = 1_000;

const pausesKind: DocumentKind<readonly string[]> = {
  empty: [],
  read: (json) => (Array.isArray(json) ? json.filter((each) => typeof each === "string") : []),
  merge: (one, other) => [...new Set([...one, ...other])],
};

/**
 * Keeps which use cases are paused in the one message of a queue. There is no such queue while none is paused, so that
 * those who ask every two seconds find that out by a single call.
 */
export class AmqpPauses {
  readonly #queue: string;
  readonly #document: SharedDocument<readonly string[]>;
  readonly #channels: Channels;
  readonly #locks: Locks;

  constructor(names: Names, access: DocumentAccess) {
    this.#queue = names.pauses;
    this.#document = new SharedDocument(names.pauses, pausesKind, access);
    this.#channels = access.channels;
    this.#locks = access.locks;
  }

  /** @throws PapaError `connection-failed` */
  async list(): Promise<readonly string[]> {
    if (!(await this.#channels.queueExists(this.#queue))) return [];
    return this.#document.read();
  }

  /** Notes that a use case is paused, or no longer. @throws PapaError */
  set(useCase: string, paused: boolean): Promise<void> {
    return this.#locks.hold(`${this.#queue}:change`, async () => {
      const before = await this.list();
      if (before.includes(useCase) === paused) return;
      const others = before.filter((each) => each !== useCase);
      if (!paused && others.length === 0) {
        await this.#channels.withChannel((channel) => channel.deleteQueue(this.#queue));
        return;
      }
      await this.#document.change(() => (paused ? [...others, useCase] : others));
      if (before.length === 0) await sleep(SETTLING_MS);
    });
  }

  /** Resolves when no change is under way any more. Never rejects. */
  idle(): Promise<void> {
    return this.#document.idle();
  }
}
