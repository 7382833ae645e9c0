import { randomUUID } from "node:crypto";
import { type EncodedEvent, HEADER, type Logger } from "@papa-events/core/transport";
import { Link } from "../client/link.ts";
import type { Target } from "../client/options.ts";
import { sleep } from "../client/time-limit.ts";
import { foreignEvent } from "../consuming/delivery.ts";
import type { BindingCache } from "../declarations/bindings.ts";
import { STALE } from "../scripts/fan-out.ts";
import { forward, refuse } from "../scripts/inbox.ts";
import type { Argument } from "../scripts/script.ts";
import type { Keys } from "../wire/keys.ts";
import { FanOut } from "./fan-out.ts";

/** How long the server waits for an event before it answers that there is none, in milliseconds. */
const BLOCK = 2_000;
const AT_ONCE = 64;
const PAUSE = 1_000;
/** No event name is longer, nor has it a line break. */
const LONGEST_NAME = 1_000;

export interface InboxOptions {
  readonly target: Target;
  readonly appName: string;
  readonly keys: Keys;
  readonly bindings: BindingCache;
  readonly link: () => Link;
  readonly logger: Logger;
}

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/** Forwards what other programs add to the inbox (L5). All apps that consume do, and each event is forwarded once. */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #reading: Link;
  #open = true;

  /** @throws PapaError */
  static async open(options: InboxOptions): Promise<Inbox> {
    const { target, appName } = options;
    return new Inbox(options, await Link.open({ target, connectionName: `${appName}:inbox`, blocks: BLOCK }));
  }

  private constructor(options: InboxOptions, reading: Link) {
    this.#options = options;
    this.#reading = reading;
    void this.#run();
  }

  /** What is being forwarded is or is not, and another app does it then. */
  close(): void {
    this.#open = false;
    this.#reading.close();
  }

  async #run(): Promise<void> {
    const { link, keys, logger } = this.#options;
    while (this.#open) {
      try {
        await this.#reading.whenUp();
        const reply = (await this.#reading.client.xreadBuffer(
          "COUNT",
          AT_ONCE,
          "BLOCK",
          BLOCK,
          "STREAMS",
          keys.inbox,
          "0",
        )) as readonly (readonly [Buffer, readonly Entry[]])[] | null;
        const entries = reply?.[0]?.[1] ?? [];
        if (entries.length === 0) continue;
        await link().whenUp();
        await this.#forward(entries);
      } catch (error) {
        if (!this.#open) return;
        logger.debug({ error }, "The inbox could not be forwarded; it is tried again.");
        await sleep(PAUSE);
      }
    }
  }

  async #forward(entries: readonly Entry[]): Promise<void> {
    const { link, keys, bindings, logger } = this.#options;
    const events: (readonly [entry: string, event: EncodedEvent])[] = [];
    for (const [id, fields] of entries) {
      const entry = id.toString();
      const event = encoded(entry, fields);
      if (event !== undefined) {
        events.push([entry, event]);
        continue;
      }
      if ((await link().run(refuse, [keys.inbox, keys.refused], [entry])) === 1)
        logger.error(
          { stream: keys.inbox, entry, movedTo: keys.refused },
          'An entry of the inbox has no event name in a field "event"; it was set aside.',
        );
    }
    if (events.length === 0) return;
    for (;;) {
      const known = await bindings.get();
      const fanOut = new FanOut(keys.version, keys.inbox);
      const args: Argument[] = [known.version];
      for (const [entry, event] of events) {
        const before = args.push(entry, 0);
        fanOut.append([event], known, args);
        args[before - 1] = args.length - before;
      }
      if ((await link().run(forward, fanOut.keys, args)) !== STALE) return;
      bindings.drop(known);
    }
  }
}

/** The event that an entry stands for, with the id and time that it keeps in all queues. */
function encoded(entry: string, fields: readonly Buffer[]): EncodedEvent | undefined {
  const { name = "", body, headers: given, time = Date.now() } = foreignEvent(entry, fields);
  if (name === "" || name.length > LONGEST_NAME || name.includes("\n")) return undefined;
  const headers = { ...(given as Record<string, string>) };
  const id = headers[HEADER.id] ?? randomUUID();
  headers[HEADER.id] = id;
  headers[HEADER.type] = name;
  headers[HEADER.time] ??= new Date(time).toISOString();
  return { name, id, time, headers, body };
}
