import { randomUUID } from "node:crypto";
import { type EncodedEvent, EventReader, HEADER, type Logger, systemClock } from "@papa-events/core/transport";
import { isReply, isTransient } from "../client/errors.ts";
import type { Target } from "../client/options.ts";
import { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { sleep } from "../client/time-limit.ts";
import { withoutArguments } from "../client/without-arguments.ts";
import type { BindingCache } from "../declarations/bindings.ts";
import { forwardInbox } from "../scripts/forward-inbox.ts";
import { BINDINGS_CHANGED } from "../scripts/fragments/fan-out.ts";
import { keepInbox } from "../scripts/keep-inbox.ts";
import { refuseInboxEntry } from "../scripts/refuse-inbox-entry.ts";
import type { Argument } from "../scripts/script.ts";
import { readForeignEvent } from "../wire/foreign-event.ts";
import type { Keys } from "../wire/keys.ts";
import { FanOut, MAX_ENTRIES_PER_SCRIPT } from "./fan-out.ts";

/** How long a read blocks on the server when the inbox is empty. */
const BLOCK_MS = 2_000;
const MAX_ENTRIES_PER_READ = 64;
/** About how many bytes one read may bring, and one script adds to queues: other programs add what they like (H9). */
const MAX_BYTES = 8 * 1_048_576;
/** How large entries are taken to be before any was read. */
const INITIAL_ENTRY_BYTES = 1_048_576;
/** How long an app is the inbox's reader without a sign of life. */
const TURN_MS = 5_000;
/** How often the reader gives one, and how often the others ask whether it is their turn. */
const TURN_INTERVAL_MS = 1_000;
/** The pause after a failure, and before the next try of entries that were refused; that is doubled up to the longest. */
const BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
/** Longer than any event name. */
const MAX_NAME_LENGTH = 1_000;

export interface InboxOptions {
  readonly target: Target;
  readonly appName: string;
  readonly keys: Keys;
  readonly bindings: BindingCache;
  readonly connection: ReconnectingConnection;
  /** A connection on which nothing takes long. */
  readonly control: ReconnectingConnection;
  readonly logger: Logger;
  readonly onProblem: (subject: string, problem: string | undefined) => void;
}

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/** An entry that is an event. */
interface ForeignEvent {
  readonly entry: string;
  readonly event: EncodedEvent;
  readonly bytes: number;
}

/**
 * Forwards what other programs add to the inbox (L5). One of the apps that consume reads it at a time. Where two believe
 * that it is their turn, each event is forwarded once all the same.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #instance = randomUUID();
  /** A connection of its own, because reading blocks it. */
  readonly #reading: ReconnectingConnection;
  #open = true;
  #isReader = false;
  #onTurn: (() => void) | undefined;
  #problemOfTurn: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** How large the latest entries are. Large ones count at once and are forgotten slowly. */
  #entryBytes = INITIAL_ENTRY_BYTES;
  /** The entry to read on after: where some are refused, those behind them have their turn (H8). */
  #after = "0";
  /** When those that are refused are tried again, by the monotonic clock. */
  #again = 0;
  #backoff = BACKOFF_MS;

  /** @throws PapaError */
  static async open(options: InboxOptions): Promise<Inbox> {
    const { target, appName } = options;
    const connectionName = `${appName}:inbox`;
    return new Inbox(options, await ReconnectingConnection.open({ target, connectionName, blocks: BLOCK_MS }));
  }

  private constructor(options: InboxOptions, reading: ReconnectingConnection) {
    this.#options = options;
    this.#reading = reading;
    void this.#keepTurn();
    void this.#run();
  }

  /** Stops at once: what is not forwarded by then is left to another app. */
  async close(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#timer);
    this.#reading.close();
    this.#onTurn?.();
    // Where this fails, the turn ends by itself.
    if (this.#isReader && this.#options.control.up) await this.#askForTurn(true).catch(() => {});
  }

  #tellOfTurn(problem: string | undefined): void {
    if (problem !== this.#problemOfTurn) this.#options.onProblem("reading the inbox", problem);
    this.#problemOfTurn = problem;
  }

  /** Who cannot read or forward for now leaves the inbox to another. */
  async #keepTurn(): Promise<void> {
    const { connection, control } = this.#options;
    try {
      if (control.up) this.#isReader = await this.#askForTurn(!connection.up || !this.#reading.up);
      this.#tellOfTurn(undefined);
    } catch (error) {
      if (isReply(error)) this.#tellOfTurn(`it cannot be chosen who reads the inbox: ${error.message}`);
    }
    if (this.#isReader) this.#onTurn?.();
    if (this.#open) this.#timer = setTimeout(() => void this.#keepTurn(), TURN_INTERVAL_MS);
  }

  async #askForTurn(gives: boolean): Promise<boolean> {
    const { control, keys } = this.#options;
    return (await control.run(keepInbox, [keys.inboxReader], [this.#instance, TURN_MS, gives ? 1 : 0])) === 1;
  }

  async #whenTurn(): Promise<void> {
    if (this.#isReader || !this.#open) return;
    await new Promise<void>((resolve) => {
      this.#onTurn = resolve;
    });
    this.#onTurn = undefined;
  }

  async #run(): Promise<void> {
    const { connection, logger, onProblem } = this.#options;
    let failed = false;
    const onRefused = (error: Error) => {
      if (!failed)
        logger.warn({ err: withoutArguments(error) }, "The inbox could not be forwarded. It is tried again.");
      failed = true;
      onProblem("inbox", `events of other programs are held up: ${error.message}`);
    };
    while (this.#open) {
      try {
        if (!this.#isReader && failed) {
          // It is another's by now.
          failed = false;
          onProblem("inbox", undefined);
        }
        await this.#whenTurn();
        if (!this.#open) return;
        await this.#reading.whenUp();
        if (this.#after !== "0" && performance.now() >= this.#again) this.#after = "0";
        const fromStart = this.#after === "0";
        const entries = await this.#read();
        if (entries.length > 0) await connection.whenUp();
        const refusal = entries.length > 0 ? await this.#forward(entries) : undefined;
        if (refusal !== undefined) {
          onRefused(refusal);
          this.#skip(entries);
        } else if (fromStart) {
          if (failed) onProblem("inbox", undefined);
          failed = false;
          this.#backoff = BACKOFF_MS;
        } else if (entries.length > 0) this.#skip(entries);
      } catch (error) {
        if (!this.#open) return;
        // A lost connection is reported elsewhere.
        if (isReply(error)) onRefused(error);
        await sleep(BACKOFF_MS);
      }
    }
  }

  /** Reads on behind entries of which some are refused, until it is time to try those again. */
  #skip(entries: readonly Entry[]): void {
    if (this.#after === "0") {
      this.#again = performance.now() + this.#backoff;
      this.#backoff = Math.min(this.#backoff * 2, MAX_BACKOFF_MS);
    }
    this.#after = entries.at(-1)?.[0].toString() ?? "0";
  }

  async #read(): Promise<readonly Entry[]> {
    const count = Math.max(1, Math.min(MAX_ENTRIES_PER_READ, Math.floor(MAX_BYTES / this.#entryBytes)));
    const wait = this.#after === "0" ? BLOCK_MS : Math.min(BLOCK_MS, this.#again - performance.now());
    const block = Math.max(1, Math.ceil(wait));
    const args = ["COUNT", count, "BLOCK", block, "STREAMS", this.#options.keys.inbox, this.#after] as const;
    const reply = (await this.#reading.client.xreadBuffer(...args)) as
      | readonly (readonly [Buffer, readonly Entry[]])[]
      | null;
    return reply?.[0]?.[1] ?? [];
  }

  /**
   * Moves entries to the queues, or sets them aside. Gives why some of them were refused for good: those stay in the inbox.
   * Throws when another try may succeed.
   */
  async #forward(entries: readonly Entry[]): Promise<Error | undefined> {
    const events: ForeignEvent[] = [];
    const refusals: (Error | undefined)[] = [];
    for (const [id, fields] of entries) {
      const bytes = fields.reduce((sum, { length }) => sum + length, 0);
      this.#entryBytes = Math.max(bytes, this.#entryBytes - (this.#entryBytes - bytes) / 16, 1);
      const read = async () => {
        const entry = id.toString();
        const event = encode(entry, fields);
        if (event === undefined) await this.#refuse(entry);
        else events.push({ entry, event, bytes });
      };
      refusals.push(await refusalOf(read));
    }
    if ((await refusalOf(() => this.#moveAll(events))) !== undefined) {
      // One of them is refused, and it is to harm no other (H8).
      for (const each of events) refusals.push(await refusalOf(() => this.#move([each])));
    }
    return refusals.find((refusal) => refusal !== undefined);
  }

  async #moveAll(events: readonly ForeignEvent[]): Promise<void> {
    for (let left = events; left.length > 0; ) left = left.slice(await this.#move(left));
  }

  /** Moves the first of these events, as many as one script takes, and resolves to how many. */
  async #move(events: readonly ForeignEvent[]): Promise<number> {
    const { connection, keys, bindings } = this.#options;
    for (;;) {
      const current = await bindings.get();
      const fanOut = new FanOut(keys.version, keys.inbox);
      const args: Argument[] = [current.version];
      let count = 0;
      let added = 0;
      for (const { entry, event, bytes } of events) {
        if (fanOut.entries >= MAX_ENTRIES_PER_SCRIPT || added >= MAX_BYTES) break;
        const entries = fanOut.entries;
        const before = args.push(entry, 0);
        fanOut.append([event], current, args);
        args[before - 1] = args.length - before;
        added += bytes * (fanOut.entries - entries);
        count += 1;
      }
      if ((await connection.run(forwardInbox, fanOut.keys, args)) !== BINDINGS_CHANGED) return count;
      bindings.drop(current);
    }
  }

  async #refuse(entry: string): Promise<void> {
    const { connection, keys, logger } = this.#options;
    if ((await connection.run(refuseInboxEntry, [keys.inbox, keys.refused], [entry])) === 1)
      logger.error(
        { stream: keys.inbox, entry, movedTo: keys.refused },
        'An entry of the inbox has no event name in its field "event". It was set aside.',
      );
  }
}

/** Why something cannot be done, if another try would not change that. */
async function refusalOf(act: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof Error && !isTransient(error)) return error;
    throw error;
  }
}

/** Makes the event of an entry, with one id and time for all queues. Returns nothing if the entry has no usable name. */
function encode(entry: string, fields: readonly Buffer[]): EncodedEvent | undefined {
  const received = readForeignEvent(entry, fields);
  const { name = "", body } = received;
  if (name === "" || name.length > MAX_NAME_LENGTH || name.includes("\n")) return undefined;
  // The entry's id is not the event's: another server may use it too.
  const reader = new EventReader({ ...received, id: undefined }, systemClock);
  const { id, time, headers, rawHeaders: raw } = reader;
  const rawHeaders = Object.keys(raw).length === 0 ? undefined : raw;
  const ours = { [HEADER.id]: id, [HEADER.type]: name, [HEADER.time]: new Date(time).toISOString() };
  return { name, id, time, headers: { ...headers, ...ours }, rawHeaders, body };
}
