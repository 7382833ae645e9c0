import { PapaError } from "@papa-events/core";
import type {
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterStore,
  EncodedEvent,
  Revive,
  StoredDeadLetter,
} from "@papa-events/core/transport";
import type { Channels } from "../client/channels.ts";
import { unknownUseCase } from "../client/errors.ts";
import type { Locks } from "../client/locks.ts";
import type { QueuePublisher } from "../publishing/queue-publisher.ts";
import type { StampedMessage } from "../wire/dead-letter-stamp.ts";
import { deadLetterQueue } from "../wire/names.ts";
import { propertiesOfStored } from "../wire/properties.ts";
import type { Origin } from "../wire/received-message.ts";
import { isNameless, storedDeadLetter } from "../wire/stored-dead-letter.ts";
import type { DeadLetterQueue } from "./dead-letter-queue.ts";
import type { HeldDeadLetter } from "./dead-letter-scan.ts";

export interface DeadLettersOptions {
  readonly useCase: string;
  readonly origin: Pick<Origin, "queue">;
  readonly queue: DeadLetterQueue;
  readonly channels: Channels;
  readonly locks: Locks;
  readonly queuePublisher: QueuePublisher;
  /** Names events whose dead letters say nowhere what they are called. */
  readonly fallbackName: () => Promise<string>;
  /** Declares the use case again, with its queues and bindings. */
  readonly redeclare: () => Promise<void>;
  /** Runs an idempotent action, and runs it again if a connection is lost under it. */
  readonly retryOnReconnect: <T>(action: () => Promise<T>) => Promise<T>;
}

type Cursor = Pick<HeldDeadLetter, "position" | "id">;

/** The dead letters of one use case; see {@link DeadLetterQueue} for how they are read. */
export class DeadLetters implements DeadLetterStore {
  readonly #options: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  async count(): Promise<number> {
    // Locked, because dead letters that another program reads just now are not counted.
    return this.#read((size) => Promise.resolve(size));
  }

  async list({ limit, after, order }: DeadLetterQuery): Promise<DeadLetterPage> {
    const cursor = after === undefined ? undefined : this.#parseCursor(after);
    return this.#read(async () => {
      const { chosen, more, messages } = await this.#options.queue.read({ first: order }, async (held) => {
        const ordered = order === "newest" ? held.deadLetters.toReversed() : held.deadLetters;
        const rest = cursor === undefined ? ordered : ordered.slice(indexAfter(ordered, cursor, order));
        return { chosen: rest.slice(0, limit), more: rest.length > limit, messages: held.messages };
      });
      const missing = chosen.filter(({ id }) => !messages.has(id)).map(({ id }) => id);
      // Only if all together are more than may be held in memory.
      const others = missing.length === 0 ? undefined : await this.#messages(new Set(missing));
      const items = await this.#stored(chosen.flatMap(({ id }) => messages.get(id) ?? others?.get(id) ?? []));
      const last = chosen.at(-1);
      return more && last !== undefined ? { items, next: `${last.position} ${last.id}` } : { items };
    });
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    return this.#read(async () => (await this.#stored([...(await this.#messages(new Set([id]))).values()]))[0]);
  }

  async redrive(ids: readonly string[] | "all", revive: Revive): Promise<number> {
    return this.#locked(async () => {
      const redrive = async (message: StampedMessage) => {
        const [stored] = await this.#stored([message]);
        if (stored !== undefined) await this.#returnToQueue(revive(stored), message);
      };
      if (ids === "all") return this.#options.queue.drain(redrive);
      return this.#remove(ids, redrive);
    });
  }

  async purge(ids: readonly string[] | "all"): Promise<number> {
    return this.#locked(async () => {
      if (ids === "all") return this.#options.queue.purge();
      return this.#remove(ids, async () => {});
    });
  }

  /** Acts on dead letters, and removes each after that: a crash in between repeats, it loses nothing. */
  #remove(ids: readonly string[], act: (message: StampedMessage) => Promise<void>): Promise<number> {
    return this.#options.queue.read({ ids: new Set(ids) }, async ({ deadLetters, messages, remove }) => {
      let removed = 0;
      for (const deadLetter of deadLetters) {
        const message = messages.get(deadLetter.id);
        if (message === undefined) continue;
        await act(message);
        remove(deadLetter);
        removed += 1;
      }
      return removed;
    });
  }

  #returnToQueue(event: EncodedEvent, { message: { properties: received } }: StampedMessage): Promise<void> {
    const { origin, queuePublisher, redeclare } = this.#options;
    const message = { queue: origin.queue, body: event.body, properties: propertiesOfStored(event, received) };
    return queuePublisher.publishOrDeclare(message, redeclare);
  }

  #messages(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, StampedMessage>> {
    return this.#options.queue.read({ ids }, async ({ messages }) => messages);
  }

  async #stored(messages: readonly StampedMessage[]): Promise<StoredDeadLetter[]> {
    const { origin, fallbackName } = this.#options;
    const nameless = messages.some(({ message }) => isNameless(message, origin.queue));
    const name = nameless ? await fallbackName() : "";
    return messages.map((message) => storedDeadLetter(message, { ...origin, fallbackName: name }));
  }

  #read<T>(action: (size: number) => Promise<T>): Promise<T> {
    return this.#options.retryOnReconnect(() => this.#locked(action));
  }

  /** @throws PapaError `unknown-use-case` */
  #locked<T>(action: (size: number) => Promise<T>): Promise<T> {
    const { useCase, origin, channels, locks } = this.#options;
    const queue = deadLetterQueue(origin.queue);
    return locks.hold(queue, async () => {
      const size = await channels.queueSize(queue);
      if (size === undefined) throw unknownUseCase(useCase);
      return action(size);
    });
  }

  #parseCursor(after: string): Cursor {
    const [position = "", id = ""] = after.split(" ");
    if (/^[\d~-]+$/.test(position) && id !== "") return { position, id };
    const list = `the list of "${this.#options.useCase}"`;
    const problem = `${JSON.stringify(after)} is not a valid position in ${list}; give the next of the page before`;
    throw new PapaError("invalid-option", `list: after: ${problem}.`, { option: "list: after", problem });
  }
}

/** Finds where a page starts behind `cursor`, even if the dead letter there is gone. */
function indexAfter(deadLetters: readonly HeldDeadLetter[], cursor: Cursor, order: "newest" | "oldest"): number {
  const at = deadLetters.findIndex(({ id }) => id === cursor.id);
  if (at !== -1) return at + 1;
  const next = deadLetters.findIndex(({ position }) =>
    order === "newest" ? position < cursor.position : position > cursor.position,
  );
  return next === -1 ? deadLetters.length : next;
}
