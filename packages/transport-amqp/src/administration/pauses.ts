import type { Channels } from "../client/channels.ts";
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
 * Keeps which use cases are paused in the one message of a queue. The queue is there from the first app on, also while none is
 * paused: a look at one that is missing is an error in the broker's log, each two seconds from each app.
 */
export class AmqpPauses {
  readonly #queue: string;
  readonly #document: SharedDocument<readonly string[]>;
  readonly #channels: Channels;
  readonly #mayCreate: boolean;
  #creating: Promise<readonly string[]> | undefined;

  /** @param mayCreate whether a look may make the queue; an operator's makes nothing */
  constructor(names: Names, access: DocumentAccess, mayCreate: boolean) {
    this.#queue = names.pauses;
    this.#document = new SharedDocument(names.pauses, pausesKind, access);
    this.#channels = access.channels;
    this.#mayCreate = mayCreate;
  }

  /** @throws PapaError `connection-failed` */
  async list(): Promise<readonly string[]> {
    // Whoever is about to make the queue has the message soon.
    const paused = await (this.#creating ?? this.#document.read());
    if (paused === pausesKind.empty && this.#mayCreate) void this.#create().catch(() => {});
    return paused;
  }

  /** Notes that a use case is paused, or no longer. @throws PapaError */
  async set(useCase: string, paused: boolean): Promise<void> {
    const existed = await this.#channels.queueExists(this.#queue);
    await this.#document.change((before) => {
      if (before.includes(useCase) === paused) return before;
      return paused ? [...before, useCase] : before.filter((each) => each !== useCase);
    });
    if (!existed) await sleep(SETTLING_MS);
  }

  /** Not waited for: a broker that takes nothing just now must not keep an app from starting. The next look tries again. */
  #create(): Promise<readonly string[]> {
    this.#creating ??= this.#document
      .change((before) => (before === pausesKind.empty ? [] : before))
      .finally(() => {
        this.#creating = undefined;
      });
    return this.#creating;
  }

  /** Resolves when no change is under way any more: a queue without its message would have others wait for it. Never rejects. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#creating]);
    await this.#document.idle();
  }
}
