import { randomUUID } from "node:crypto";
import { type EncodedEvent, EventReader, HEADER, type Logger, systemClock } from "@papa-events/core/transport";
import { isReply } from "../client/errors.ts";
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
import { FanOut } from "./fan-out.ts";

/** How long a read blocks on the server when the inbox is empty. */
const BLOCK_MS = 2_000;
const MAX_ENTRIES_PER_READ = 64;
/** How long an app is the inbox's reader without a sign of life. */
const TURN_MS = 5_000;
/** How often the reader gives one, and how often the others ask whether it is their turn. */
const TURN_INTERVAL_MS = 1_000;
/** The pause after a failure. */
const BACKOFF_MS = 1_000;
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
  #timer: NodeJS.Timeout | undefined;

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

  async #keepTurn(): Promise<void> {
    try {
      if (this.#options.control.up) this.#isReader = await this.#askForTurn(false);
    } catch (error) {
      if (isReply(error)) this.#options.onProblem("inbox", `its reader cannot be chosen: ${error.message}`);
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
    while (this.#open) {
      try {
        await this.#whenTurn();
        if (!this.#open) return;
        await this.#reading.whenUp();
        const entries = await this.#read();
        if (entries.length > 0) {
          await connection.whenUp();
          await this.#forward(entries);
        }
        if (failed) onProblem("inbox", undefined);
        failed = false;
      } catch (error) {
        if (!this.#open) return;
        // A lost connection is reported elsewhere.
        if (isReply(error)) {
          if (!failed)
            logger.warn({ err: withoutArguments(error) }, "The inbox could not be forwarded. It is tried again.");
          failed = true;
          onProblem("inbox", `events of other programs are held up: ${error.message}`);
        }
        await sleep(BACKOFF_MS);
      }
    }
  }

  async #read(): Promise<readonly Entry[]> {
    const reply = (await this.#reading.client.xreadBuffer(
      "COUNT",
      MAX_ENTRIES_PER_READ,
      "BLOCK",
      BLOCK_MS,
      "STREAMS",
      this.#options.keys.inbox,
      "0",
    )) as readonly (readonly [Buffer, readonly Entry[]])[] | null;
    return reply?.[0]?.[1] ?? [];
  }

  async #forward(entries: readonly Entry[]): Promise<void> {
    const { connection, keys, bindings } = this.#options;
    const events: (readonly [entry: string, event: EncodedEvent])[] = [];
    for (const [id, fields] of entries) {
      const entry = id.toString();
      const event = encode(entry, fields);
      if (event === undefined) await this.#refuse(entry);
      else events.push([entry, event]);
    }
    if (events.length === 0) return;
    for (;;) {
      const current = await bindings.get();
      const fanOut = new FanOut(keys.version, keys.inbox);
      const args: Argument[] = [current.version];
      for (const [entry, event] of events) {
        const before = args.push(entry, 0);
        fanOut.append([event], current, args);
        args[before - 1] = args.length - before;
      }
      if ((await connection.run(forwardInbox, fanOut.keys, args)) !== BINDINGS_CHANGED) return;
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
