import { PapaError } from "@papa-events/core";
import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  type EncodedEvent,
  MAX_DEAD_LETTER_PAGE_BYTES,
  type Progress,
  type Revive,
  type Selection,
  type StoredDeadLetter,
} from "@papa-events/core/transport";
import { unknownUseCase } from "../client/errors.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import type { StampedMessage } from "../wire/dead-letter-stamp.ts";
import { propertiesOfStored } from "../wire/properties.ts";
import type { Origin } from "../wire/received-message.ts";
import { isNameless, storedDeadLetter } from "../wire/stored-dead-letter.ts";
import type { DeadLetterQueue } from "./dead-letter-queue.ts";
import type { Cursor, LetterWindow } from "./letter-window.ts";

/** How much of a scan is held at a time: each time all dead letters are taken and given back. */
const MAX_SCAN_BYTES = 96 * 1_048_576;

export interface DeadLettersOptions {
  readonly useCase: string;
  readonly origin: Pick<Origin, "queue">;
  readonly queue: DeadLetterQueue;
  readonly queuePublisher: QueuePublisher;
  /** Names events whose dead letters say nowhere what they are called. */
  readonly fallbackName: () => Promise<string>;
  /** Declares the use case again, with its queues and bindings. */
  readonly redeclare: () => Promise<void>;
  /** Runs an idempotent action, and runs it again if a connection is lost under it. */
  readonly retryOnReconnect: <T>(action: () => Promise<T>) => Promise<T>;
}

/** The dead letters of one use case; see {@link DeadLetterQueue} for how they are read. */
export class DeadLetters implements DeadLetterStore {
  readonly #options: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  count(): Promise<number> {
    return this.#options.retryOnReconnect(async () => this.#known(await this.#options.queue.count()));
  }

  async list({ limit, after, order }: DeadLetterQuery): Promise<DeadLetterPage> {
    const cursor = after === undefined ? undefined : this.#parseCursor(after);
    const window = await this.#window({ limit, after: cursor, order, maxBytes: MAX_DEAD_LETTER_PAGE_BYTES });
    const items = await Promise.all([...window.letters()].map(this.#reader()));
    const last = window.end;
    return window.more && last !== undefined ? { items, next: `${last.position} ${last.id}` } : { items };
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    const found = await this.#options.retryOnReconnect(async () => {
      await this.#assertKnown();
      return this.#options.queue.find(id);
    });
    return found === undefined ? undefined : this.#reader()(found);
  }

  /** Each look takes all of them. So it keeps as many as memory allows, and nothing is held while the reader acts. */
  async *scan(
    order: "newest" | "oldest",
    signal?: AbortSignal,
    maxBytes = MAX_SCAN_BYTES,
  ): AsyncGenerator<StoredDeadLetter> {
    const read = this.#reader();
    let after: Cursor | undefined;
    let upTo: Cursor | undefined;
    const isAborted = () => signal?.aborted === true;
    while (!isAborted()) {
      const options = { order, after, upTo, limit: Number.POSITIVE_INFINITY, maxBytes };
      const window: LetterWindow = await this.#window(options);
      upTo ??= window.last;
      for (const letter of window.letters()) {
        const stored = await read(letter);
        if (isAborted()) return;
        yield stored;
      }
      if (!window.more) return;
      after = window.end;
    }
  }

  async redrive(which: Selection, revive: Revive, progress: Progress = {}): Promise<number> {
    await this.#assertKnown();
    const read = this.#reader();
    return this.#options.queue.act(
      await this.#picked(which),
      async (letter) => this.#returnToQueue(revive(await read(letter)), letter),
      progress,
    );
  }

  async purge(which: Selection, progress: Progress = {}): Promise<number> {
    await this.#assertKnown();
    if (progress.signal?.aborted === true) return 0;
    if (which !== "all") return this.#options.queue.act(await this.#picked(which), async () => {}, progress);
    const purged = await this.#options.queue.purge();
    progress.onProgress?.({ seen: purged, done: purged });
    return purged;
  }

  /** @throws PapaError `unknown-use-case` */
  async #assertKnown(): Promise<void> {
    this.#known(await this.#options.queue.size());
  }

  #known(size: number | undefined): number {
    if (size === undefined) throw unknownUseCase(this.#options.useCase);
    return size;
  }

  #window(options: ConstructorParameters<typeof LetterWindow>[0]): Promise<LetterWindow> {
    return this.#options.retryOnReconnect(async () => {
      await this.#assertKnown();
      return this.#options.queue.window(options);
    });
  }

  async #picked(which: Selection): Promise<ReadonlySet<string> | ((letter: StampedMessage) => boolean)> {
    if (which === "all") return () => true;
    if (typeof which !== "function") return new Set(which);
    const { origin, fallbackName } = this.#options;
    const name = await fallbackName();
    return (letter) => which(storedDeadLetter(letter, { ...origin, fallbackName: name }));
  }

  async #returnToQueue(event: EncodedEvent, { message: { properties: received } }: StampedMessage): Promise<void> {
    const { origin, queuePublisher, redeclare } = this.#options;
    queuePublisher.assertWritable();
    const message = { queue: origin.queue, body: event.body, properties: propertiesOfStored(event, received) };
    await queuePublisher.publishOrDeclare(message, redeclare);
  }

  /** Reads dead letters for the core. What those are called that do not say it is asked for once. */
  #reader(): (letter: StampedMessage) => Promise<StoredDeadLetter> {
    const { origin, fallbackName } = this.#options;
    let name: Promise<string> | undefined;
    return async (letter) => {
      if (isNameless(letter.message, origin.queue)) name ??= fallbackName();
      return storedDeadLetter(letter, { ...origin, fallbackName: (await name) ?? "" });
    };
  }

  #parseCursor(after: string): Cursor {
    const [position = "", id = ""] = after.split(" ");
    if (/^[\d~-]+$/.test(position) && id !== "") return { position, id };
    const list = `the list of "${this.#options.useCase}"`;
    const problem = `${JSON.stringify(after)} is not a valid position in ${list}; give the next of the page before`;
    throw new PapaError("invalid-option", `list: after: ${problem}.`, { option: "list: after", problem });
  }
}
