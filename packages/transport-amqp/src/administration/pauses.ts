import type { Channels } from "../client/channels.ts";
import type { Locks } from "../client/locks.ts";
import { sleep } from "../client/sleep.ts";
import { type DocumentAccess, type DocumentKind, SharedDocument } from "../declarations/shared-document.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import type { Names } from "../wire/names.ts";

/** A node that is killed sooner may forget a quorum queue that was just declared. */
const SETTLING_MS = 1_000;

const pausesKind: DocumentKind<readonly string[]> = {
  empty: [],
  read: (json) => (Array.isArray(json) ? json.filter((each) => typeof each === "string") : []),
  merge: (one, other) => [...new Set([...one, ...other])],
};

/**
 * Keeps which use cases are paused in the one message of a queue. Another queue has a message that nobody ever takes, as
 * long as any is: whoever asks each two seconds only counts it, which disturbs nobody. That queue is there from the first
 * app on, since a look at one that is missing is an error in the broker's log.
 */
export class AmqpPauses {
  readonly #queue: string;
  readonly #flag: string;
  readonly #document: SharedDocument<readonly string[]>;
  readonly #channels: Channels;
  readonly #locks: Locks;
  readonly #publisher: QueuePublisher;
  readonly #declareQueue: (queue: string) => Promise<void>;
  readonly #mayCreate: boolean;
  /** What the last look found. */
  #last: readonly string[] = [];
  #creating: Promise<unknown> = Promise.resolve();

  /** @param mayCreate whether a look may make a queue; an operator's makes nothing */
  constructor(names: Names, access: DocumentAccess, mayCreate: boolean) {
    this.#queue = names.pauses;
    this.#flag = names.pauseFlag;
    this.#document = new SharedDocument(names.pauses, pausesKind, access);
    this.#channels = access.channels;
    this.#locks = access.locks;
    this.#publisher = access.publisher;
    this.#declareQueue = access.declareQueue;
    this.#mayCreate = mayCreate;
  }

  /** @throws PapaError `connection-failed` */
  async list(): Promise<readonly string[]> {
    const raised = await this.#channels.queueSize(this.#flag);
    // A quorum queue without a leader counts as empty: a pause ends only where the list says so.
    if (raised === 0 && this.#last.length === 0) return this.#last;
    const paused = (await this.#channels.queueExists(this.#queue)) ? await this.#document.read() : [];
    if (raised === undefined && this.#mayCreate) this.#create(paused.length > 0);
    this.#last = paused;
    return paused;
  }

  /** Notes that a use case is paused, or no longer. @throws PapaError */
  set(useCase: string, paused: boolean): Promise<void> {
    return this.#locks.hold(`${this.#queue}:change`, async () => {
      const existed = await this.#channels.queueExists(this.#queue);
      if (!existed && !paused) return;
      const left = await this.#document.change((before) => {
        if (before.includes(useCase) === paused) return before;
        return paused ? [...before, useCase] : before.filter((each) => each !== useCase);
      });
      if (left.length > 0) await this.#raise();
      else await this.#lower();
      if (!existed) await sleep(SETTLING_MS);
    });
  }

  /** Resolves when no change is under way any more. Never rejects. */
  async idle(): Promise<void> {
    await this.#creating;
    await this.#document.idle();
  }

  async #raise(): Promise<void> {
    if (((await this.#channels.queueSize(this.#flag)) ?? 0) > 0) return;
    const message = { queue: this.#flag, body: new Uint8Array(), properties: { persistent: true } };
    await this.#publisher.publishOrDeclare(message, () => this.#declareQueue(this.#flag));
  }

  async #lower(): Promise<void> {
    if (((await this.#channels.queueSize(this.#flag)) ?? 0) === 0) return;
    await this.#channels.withChannel((channel) => channel.purgeQueue(this.#flag));
  }

  /** Not waited for: a broker that takes nothing just now must not keep an app from starting. The next look tries again. */
  #create(raised: boolean): void {
    const create = async () => {
      await this.#declareQueue(this.#flag);
      if (raised) await this.#raise();
    };
    this.#creating = this.#creating.then(create).catch(() => {});
  }
}
