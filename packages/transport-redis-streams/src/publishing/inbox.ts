import { randomUUID } from "node:crypto";
import { isReply } from "../client/errors.ts";
import type { Target } from "../client/options.ts";
import { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { sleep } from "../client/time-limit.ts";
import { withoutArguments } from "../client/without-arguments.ts";
import { keepInbox } from "../scripts/keep-inbox.ts";
import { LatestEntrySize, sizeOfEntry } from "../wire/entry-size.ts";
import { type InboxEntry, InboxForwarder, type InboxForwarderOptions } from "./inbox-forwarder.ts";

/** How long a read blocks on the server when the inbox is empty. */
const BLOCK_MS = 2_000;
const MAX_ENTRIES_PER_READ = 64;
/** About how many bytes one read may bring: other programs add what they like (H9). */
const MAX_READ_BYTES = 8 * 1_048_576;
/** How large entries are taken to be before any was read. */
const INITIAL_ENTRY_BYTES = 1_048_576;
/** How long an app is the inbox's reader without a sign of life. */
const TURN_MS = 5_000;
/** How often the reader gives one, and how often the others ask whether it is their turn. */
const TURN_INTERVAL_MS = 1_000;
/** The pause after a failure, and before the next try of entries that were refused; that is doubled up to the longest. */
const BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

export interface InboxOptions extends InboxForwarderOptions {
  readonly target: Target;
  readonly appName: string;
  /** A connection on which nothing takes long. */
  readonly control: ReconnectingConnection;
  readonly onProblem: (subject: string, problem: string | undefined) => void;
}

/**
 * Forwards what other programs add to the inbox (L5). One of the apps that consume reads it at a time. Where two believe
 * that it is their turn, each event is forwarded once all the same.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #forwarder: InboxForwarder;
  readonly #instance = randomUUID();
  /** A connection of its own, because reading blocks it. */
  readonly #reading: ReconnectingConnection;
  #open = true;
  #isReader = false;
  #onTurn: (() => void) | undefined;
  #problemOfTurn: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #entrySize = new LatestEntrySize(INITIAL_ENTRY_BYTES);
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
    this.#forwarder = new InboxForwarder(options);
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

  #tellOfTurn(problem: string | undefined): void {
    if (problem !== this.#problemOfTurn) this.#options.onProblem("reading the inbox", problem);
    this.#problemOfTurn = problem;
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
        const refusal = entries.length > 0 ? await this.#forwarder.forward(entries) : undefined;
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
  #skip(entries: readonly InboxEntry[]): void {
    if (this.#after === "0") {
      this.#again = performance.now() + this.#backoff;
      this.#backoff = Math.min(this.#backoff * 2, MAX_BACKOFF_MS);
    }
    this.#after = entries.at(-1)?.[0].toString() ?? "0";
  }

  async #read(): Promise<readonly InboxEntry[]> {
    const count = Math.min(MAX_ENTRIES_PER_READ, this.#entrySize.countIn(MAX_READ_BYTES));
    const wait = this.#after === "0" ? BLOCK_MS : Math.min(BLOCK_MS, this.#again - performance.now());
    const block = Math.max(1, Math.ceil(wait));
    const args = ["COUNT", count, "BLOCK", block, "STREAMS", this.#options.keys.inbox, this.#after] as const;
    const reply = (await this.#reading.client.xreadBuffer(...args)) as
      | readonly (readonly [Buffer, readonly InboxEntry[]])[]
      | null;
    const entries = reply?.[0]?.[1] ?? [];
    for (const [, fields] of entries) this.#entrySize.note(sizeOfEntry(fields));
    return entries;
  }
}
