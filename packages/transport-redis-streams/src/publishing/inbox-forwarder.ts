import { type EncodedEvent, EventReader, HEADER, type Logger, systemClock } from "@papa-events/core/transport";
import { isTransient } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import type { BindingCache } from "../declarations/bindings.ts";
import { forwardInbox } from "../scripts/forward-inbox.ts";
import { BINDINGS_CHANGED } from "../scripts/fragments/fan-out.ts";
import { refuseInboxEntry } from "../scripts/refuse-inbox-entry.ts";
import type { Argument } from "../scripts/script.ts";
import { sizeOfEntry } from "../wire/entry-size.ts";
import { readForeignEvent } from "../wire/foreign-event.ts";
import type { Keys } from "../wire/keys.ts";
import { FanOut, MAX_ENTRIES_PER_SCRIPT } from "./fan-out.ts";

/** About how many bytes one script adds to queues. It blocks the server. */
const MAX_FORWARDED_BYTES = 8 * 1_048_576;
/** Longer than any event name. */
const MAX_NAME_LENGTH = 1_000;

export interface InboxForwarderOptions {
  readonly keys: Keys;
  readonly bindings: BindingCache;
  readonly connection: ReconnectingConnection;
  readonly logger: Logger;
}

/** An entry of the inbox as it was read. */
export type InboxEntry = readonly [id: Buffer, fields: readonly Buffer[]];

/** An entry that is an event. */
interface ForeignEvent {
  readonly entry: string;
  readonly event: EncodedEvent;
  readonly bytes: number;
}

/** Moves entries of the inbox to the queues of those who want them. What others try as well is moved once. */
export class InboxForwarder {
  readonly #options: InboxForwarderOptions;

  constructor(options: InboxForwarderOptions) {
    this.#options = options;
  }

  /**
   * Moves entries to the queues, or sets them aside. Gives why some of them were refused for good: those stay in the inbox.
   * Throws when another try may succeed.
   */
  async forward(entries: readonly InboxEntry[]): Promise<Error | undefined> {
    const events: ForeignEvent[] = [];
    const refusals: (Error | undefined)[] = [];
    for (const [id, fields] of entries) {
      const read = async () => {
        const entry = id.toString();
        const event = encode(entry, fields);
        if (event === undefined) await this.#refuse(entry);
        else events.push({ entry, event, bytes: sizeOfEntry(fields) });
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
        if (fanOut.entries >= MAX_ENTRIES_PER_SCRIPT || added >= MAX_FORWARDED_BYTES) break;
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
