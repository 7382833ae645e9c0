import { SharedRead } from "../declarations/shared-read.ts";
import { PapaError } from "../errors/papa-error.ts";
import type { Logger } from "../logging/logger.ts";
import { nearest } from "../options/nearest.ts";
import { matcherOf } from "../routing/pattern-trie.ts";
import type { Declarations } from "../transport/declarations.ts";

/** What happens when an app publishes an event that no use case of the namespace wants (R5). */
export type Unwanted = "warn" | "refuse" | "accept";

/** How many names are remembered; beyond that all are looked up anew. */
const MAX_NAMES = 10_000;

export interface UnwantedEventsOptions {
  readonly declarations: Declarations;
  readonly unwanted: Unwanted;
  readonly logger: Logger;
}

/** Looks, once a name, whether any use case wants what this app publishes: a misspelt name is the commonest mistake there is. */
export class UnwantedEvents {
  readonly #options: UnwantedEventsOptions;
  /** Names that need no look: wanted ones, and those warned about. */
  readonly #settled = new Set<string>();
  readonly #patterns: SharedRead<readonly string[] | undefined>;

  constructor(options: UnwantedEventsOptions) {
    this.#options = options;
    this.#patterns = new SharedRead(async () =>
      (await options.declarations.list())?.flatMap(({ patterns }) => patterns),
    );
  }

  /**
   * Looks at a name that is about to be published. With `"refuse"` the first publish of a name waits for the look.
   *
   * @throws PapaError `unwanted-event` (rejected)
   */
  check(name: string): Promise<void> | undefined {
    const { unwanted, logger } = this.#options;
    if (unwanted === "accept" || this.#settled.has(name)) return undefined;
    if (unwanted === "refuse") return this.#refuseIfUnwanted(name);
    this.#remember(name);
    this.#warnIfUnwanted(name).catch((error: unknown) => {
      this.#settled.delete(name);
      logger.debug({ err: error }, "It could not be read whether any use case wants an event.");
    });
    return undefined;
  }

  async #refuseIfUnwanted(name: string): Promise<void> {
    const patterns = await this.#patterns.get();
    if (patterns !== undefined && !matcherOf(patterns)(name))
      throw unwantedEvent(name, patterns, "It was not published.");
    this.#remember(name);
  }

  async #warnIfUnwanted(name: string): Promise<void> {
    const patterns = await this.#patterns.get();
    if (patterns === undefined || matcherOf(patterns)(name)) return;
    const { message, details } = unwantedEvent(name, patterns, "Such an event is accepted and forgotten.");
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
  return new PapaError("unwanted-event", message, near === undefined ? { eventName } : { eventName, nearest: near });
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
