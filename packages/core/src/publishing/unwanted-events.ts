import { SharedRead } from "../declarations/shared-read.ts";
import { PapaError } from "../errors/papa-error.ts";
import type { Logger } from "../logging/logger.ts";
import { nearest } from "../options/nearest.ts";
import { matcherOf } from "../routing/pattern-trie.ts";
import { systemClock } from "../transport/clock.ts";
import type { Declarations } from "../transport/declarations.ts";

/** What happens when an app publishes an event that no use case of the namespace wants (R5). */
export type Unwanted = "warn" | "refuse" | "accept";

/** How many names are remembered; beyond that all are looked up anew. */
const MAX_NAMES = 10_000;
/** For how long a look says that a name is wanted; that it is not, only a new one says. */
const LOOK_LIFETIME_MS = 10_000;

export interface UnwantedEventsOptions {
  readonly declarations: Declarations;
  readonly unwanted: Unwanted;
  readonly logger: Logger;
}

/** What is declared, as it was at a look at the broker. */
interface Look {
  readonly at: number;
  readonly patterns: readonly string[];
  readonly matches: (name: string) => boolean;
}

/** Looks, once a name, whether any use case wants what this app publishes: a misspelt name is the commonest mistake there is. */
export class UnwantedEvents {
  readonly #options: UnwantedEventsOptions;
  /** Names that need no look: wanted ones, and those warned about. */
  readonly #settled = new Set<string>();
  readonly #looks: SharedRead<Look | undefined>;
  #lastLook: Look | undefined;

  constructor(options: UnwantedEventsOptions) {
    this.#options = options;
    this.#looks = new SharedRead(() => this.#look());
  }

  /**
   * Looks at a name that is about to be published. With `"refuse"` the first publish of a name waits for the look.
   *
   * @throws PapaError `unwanted-event` (rejected)
   */
  check(name: string): Promise<void> | undefined {
    const { unwanted, logger } = this.#options;
    if (unwanted === "accept" || this.#settled.has(name)) return undefined;
    if (this.#isWanted(name)) {
      this.#remember(name);
      return undefined;
    }
    if (unwanted === "refuse") return this.#refuseIfUnwanted(name);
    this.#remember(name);
    this.#warnIfUnwanted(name).catch((error: unknown) => {
      this.#settled.delete(name);
      logger.debug({ err: error }, "It could not be read whether any use case wants an event.");
    });
    return undefined;
  }

  /** Whether the last look says so, without a new one: names may be without number. */
  #isWanted(name: string): boolean {
    const look = this.#lastLook;
    return look !== undefined && systemClock.elapsed() - look.at < LOOK_LIFETIME_MS && look.matches(name);
  }

  async #look(): Promise<Look | undefined> {
    const at = systemClock.elapsed();
    const records = await this.#options.declarations.list();
    if (records === undefined) return undefined;
    const patterns = records.flatMap((record) => record.patterns);
    this.#lastLook = { at, patterns, matches: matcherOf(patterns) };
    return this.#lastLook;
  }

  async #refuseIfUnwanted(name: string): Promise<void> {
    const look = await this.#looks.get();
    if (look !== undefined && !look.matches(name)) throw unwantedEvent(name, look.patterns, "It was not published.");
    this.#remember(name);
  }

  async #warnIfUnwanted(name: string): Promise<void> {
    const look = await this.#looks.get();
    if (look === undefined || look.matches(name)) return;
    const { message, details } = unwantedEvent(name, look.patterns, "Such an event is accepted and forgotten.");
    this.#options.logger.warn(details, message);
  }

  #remember(name: string): void {
    if (this.#settled.size >= MAX_NAMES) this.#settled.clear();
    this.#settled.add(name);
  }
}

function unwantedEvent(
  eventName: string,
  patterns: readonly string[],
  consequence: string,
): PapaError<"unwanted-event"> {
  const near = nearestPattern(eventName, patterns);
  const hint = near === undefined ? "" : `; the nearest pattern is "${near}"`;
  const message = `No use case wants "${eventName}"${hint}. ${consequence}`;
  const details = near === undefined ? { eventName } : { eventName, nearest: near };
  // A use case that wants it may be deployed later, so that a handler whose output it is fails for now and not for good.
  return new PapaError("unwanted-event", message, details, { retryable: true });
}

/** Compares word by word where a pattern has wildcards, so that `user.*.created` is near to `user.7.create`. */
function nearestPattern(name: string, patterns: readonly string[]): string | undefined {
  const words = name.split(".");
  const byText = new Map<string, string>();
  for (const pattern of patterns) {
    const parts = pattern.split(".");
    const text = parts.flatMap((part, index) => {
      if (part === "*") return words[index] ?? [];
      return part === "#" ? words.slice(index, index + 1 + words.length - parts.length) : part;
    });
    byText.set(text.join("."), pattern);
  }
  const near = nearest(name, byText.keys());
  return near === undefined ? undefined : byText.get(near);
}
