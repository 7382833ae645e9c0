import { PapaError } from "../errors/papa-error.ts";
import type { Logger } from "../logging/logger.ts";
import { matcherOf } from "../routing/pattern-trie.ts";
import type { Clock } from "../transport/clock.ts";
import { type EventReader, readCount } from "../wire/decode.ts";
import { HEADER } from "../wire/header-names.ts";
import { parseTime } from "../wire/time.ts";
import type { DeclarationKeeper, OtherDeclaration } from "./declaration-keeper.ts";

/** How long a forwarded event waits while an instance lives that accepts it: it meets that one by chance, soon (R6). */
const CHANCE_DELAY_MS = 100;
/** After so many rounds it no longer hurries: with one instance in six that accepts it, 1 event in 10,000 gets here. */
const MAX_QUICK_ROUNDS = 50;
/** The waits for an instance that may never come: half of how long the event has been forwarded already. */
const MIN_DELAY_MS = 250;
const MAX_DELAY_MS = 60_000;

/** How many names' answers are kept. */
const CACHE_LIMIT = 10_000;
const CACHED_NAME_LENGTH = 255;

/** What an instance does with an event of its use case that its own patterns do not match (R6). */
export type Verdict =
  /** It was put straight into the use case's queue, and no other declaration accepts it: its name does not matter (L5). */
  | { readonly kind: "handle" }
  /** Another declaration accepts it: the one that `to` names, if that can be told. */
  | { readonly kind: "forward"; readonly delay: number; readonly to: string | undefined }
  /** Only a pattern that has been withdrawn can have brought it. */
  | { readonly kind: "drop" }
  /** Nobody accepts it, and it is not the library's to throw away. */
  | { readonly kind: "dead"; readonly why: PapaError };

/** An event about which a verdict is asked. */
export interface UnacceptedEvent {
  readonly eventName: string;
  readonly attempt: number;
  readonly reader: EventReader;
  readonly logger: Logger;
}

export interface VerdictOptions {
  readonly useCase: string;
  readonly patterns: readonly string[];
  readonly keeper: DeclarationKeeper;
  readonly clock: Clock;
}

/** Decides about the events of a use case: whether this instance accepts them, and what becomes of the others. */
export class Verdicts {
  readonly #options: VerdictOptions;
  readonly #matches: (name: string) => boolean;
  readonly #known = new Map<string, boolean>();

  constructor(options: VerdictOptions) {
    this.#options = options;
    this.#matches = matcherOf(options.patterns);
  }

  /** Whether this instance's own patterns match a name. */
  accepts(name: string): boolean {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const accepted = name !== "" && this.#matches(name);
    // Names from outside may be of any length, and ten thousand of them would fill the memory.
    if (name.length > CACHED_NAME_LENGTH) return accepted;
    if (this.#known.size >= CACHE_LIMIT) this.#known.clear();
    this.#known.set(name, accepted);
    return accepted;
  }

  /** Decides about an event that this instance does not accept. */
  async decide(event: UnacceptedEvent): Promise<Verdict> {
    const { useCase, keeper } = this.#options;
    const { eventName, attempt, reader, logger } = event;
    if (eventName === "") {
      logger.error({}, "An event has no name: neither the broker nor a header ce_type gives one.");
      return { kind: "dead", why: new PapaError("unknown-event", "The event has no name.", { eventName }) };
    }
    // To forward is safe, so that no look is needed for whom accepted it a moment ago: a fleet that hands hundreds of events
    // round would look at the broker for each.
    const recent = keeper.recent(useCase).filter(({ live, accepts }) => live && accepts(eventName));
    if (recent.length > 0) return this.#forward(event, recent);
    const others = await this.#othersThatAccept(event);
    if (others === undefined || others.length > 0) return this.#forward(event, others ?? []);
    if (reader.direct) return { kind: "handle" };
    if (attempt > 1 || reader.text(HEADER.redriven) !== undefined) {
      // A handler has failed on it or a person has put it back: not this library's to throw away.
      const message = `No pattern of "${useCase}" matches "${eventName}" any more.`;
      return { kind: "dead", why: new PapaError("unknown-event", message, { eventName }) };
    }
    if (keeper.complete) logger.debug({}, "An event of a withdrawn pattern was dropped.");
    else logger.warn({}, "An event that no known declaration of its use case accepts was dropped after the grace.");
    return { kind: "drop" };
  }

  /** The declarations that accept the event, none where nobody does; `undefined` where somebody unknown may. */
  async #othersThatAccept({
    eventName,
    reader,
    logger,
  }: UnacceptedEvent): Promise<readonly OtherDeclaration[] | undefined> {
    const { keeper, useCase } = this.#options;
    try {
      const others = (await keeper.read(useCase)).filter(({ accepts }) => accepts(eventName));
      if (others.length > 0 || keeper.complete || reader.direct) return others;
    } catch (error) {
      logger.warn({ err: error }, "The declarations could not be read; the event is forwarded.");
      return undefined;
    }
    // Somebody may accept it whose declarations are not kept where ours are.
    return this.#forwardedFor(reader) < keeper.grace ? undefined : [];
  }

  /** For how many milliseconds the event has been forwarded. */
  #forwardedFor(reader: EventReader): number {
    const now = this.#options.clock.now();
    return now - (parseTime(reader.text(HEADER.forwardedSince)) ?? now);
  }

  #forward({ reader, logger }: UnacceptedEvent, others: readonly OtherDeclaration[]): Verdict {
    const times = readCount(reader.text(HEADER.forwarded), 0);
    const live = others.filter((each) => each.live);
    const quick = live.length > 0 && times < MAX_QUICK_ROUNDS;
    // Whoever forwarded it first may have a clock that is ahead: that is no reason to hurry for as long (L9).
    const since = Math.abs(this.#forwardedFor(reader));
    const slow = Math.min(Math.max(since / 2, MIN_DELAY_MS), MAX_DELAY_MS);
    const delay = quick ? CHANCE_DELAY_MS : slow;
    const to = live[Math.floor(Math.random() * live.length)]?.id;
    logger.debug({ delay, to }, "Another declaration of the use case accepts the event; it is forwarded.");
    // Half of it chance: a broker deals out in turn, and events that wait alike would keep meeting the same instances.
    return { kind: "forward", delay: delay * (0.5 + Math.random() / 2), to };
  }
}
