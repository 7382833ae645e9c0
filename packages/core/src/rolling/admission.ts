import { PapaError } from "../errors/papa-error.ts";
import type { DeliveryContext } from "../handling/delivery-context.ts";
import type { FailurePolicy } from "../handling/failure-policy.ts";
import { HANDLED, handOn, type Outcome } from "../handling/outcome.ts";
import { matcherOf } from "../routing/pattern-trie.ts";
import type { Clock } from "../transport/clock.ts";
import { readCount } from "../wire/decode.ts";
import { encodeHandOn } from "../wire/failure.ts";
import { HEADER } from "../wire/header-names.ts";
import { parseTime } from "../wire/time.ts";
import type { DeclarationKeeper } from "./declaration-keeper.ts";

/** How long an event waits before another instance may get it; doubled each time it comes back here. */
const FIRST_HAND_ON = 250;
const LONGEST_HAND_ON = 60_000;

/** How many names' answers are kept. */
const CACHE_LIMIT = 10_000;
const CACHED_NAME_LENGTH = 255;

export interface AdmissionOptions {
  readonly useCase: string;
  readonly patterns: readonly string[];
  readonly keeper: DeclarationKeeper;
  readonly policy: FailurePolicy;
  readonly clock: Clock;
}

/**
 * What an instance does with an event of its use case (R6): handles what its own patterns match; hands on what
 * another declaration of the use case wants; drops the rest, which only a withdrawn pattern can have brought.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #matches: (name: string) => boolean;
  readonly #known = new Map<string, boolean>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#matches = matcherOf(options.patterns);
  }

  /** Whether this instance's own patterns match a name. */
  wants(name: string): boolean {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const wanted = name !== "" && this.#matches(name);
    // Names from outside may be of any length, and ten thousand of them would fill the memory.
    if (name.length > CACHED_NAME_LENGTH) return wanted;
    if (this.#known.size >= CACHE_LIMIT) this.#known.clear();
    this.#known.set(name, wanted);
    return wanted;
  }

  /** What becomes of an event that this instance does not want. */
  async judge(context: DeliveryContext, body: Uint8Array): Promise<Outcome> {
    const { keeper, policy, useCase } = this.#options;
    const { eventName, reader } = context;
    if (eventName === "") {
      context.logger.error({}, "An event has no name: neither the broker nor a header ce_type gives one.");
      return policy.dead(
        context,
        body,
        "unknown-event",
        new PapaError("unknown-event", "The event has no name.", { eventName }),
      );
    }
    if (await this.#mayBeWanted(context)) return this.#handOn(context, body);
    if (context.attempt > 1 || reader.text(HEADER.redriven) !== undefined) {
      // A handler has failed on it or a person has put it back: not this library's to throw away.
      const error = new PapaError("unknown-event", `No pattern of "${useCase}" matches "${eventName}" any more.`, {
        eventName,
      });
      return policy.dead(context, body, "unknown-event", error);
    }
    const about = { pattern: "none" };
    if (keeper.complete) context.logger.debug(about, "An event of a withdrawn pattern was dropped.");
    else
      context.logger.warn(
        about,
        "An event that no known declaration of its use case wants was dropped after the grace.",
      );
    return HANDLED;
  }

  async #mayBeWanted(context: DeliveryContext): Promise<boolean> {
    const { keeper, useCase, clock } = this.#options;
    try {
      if (await keeper.isWanted(useCase, context.eventName)) return true;
    } catch (error) {
      context.logger.warn({ error }, "The declarations could not be read; the event is handed on.");
      return true;
    }
    if (keeper.complete) return false;
    // Somebody may want it whose declarations are not kept where ours are.
    const since = parseTime(context.reader.text(HEADER.handedOnSince)) ?? clock.now();
    return clock.now() - since < keeper.grace;
  }

  #handOn(context: DeliveryContext, body: Uint8Array): Outcome {
    const { reader } = context;
    const times = readCount(reader.text(HEADER.handedOn), 0);
    // Half of it chance: a broker deals out in turn, and events that wait alike would keep meeting the same wrong instances.
    const delay = Math.min(FIRST_HAND_ON * 2 ** times, LONGEST_HAND_ON) * (0.5 + Math.random() / 2);
    context.logger.debug({ delay }, "Another declaration of the use case wants the event; it is handed on.");
    return handOn(encodeHandOn({ reader, body }, this.#options.clock.now()), delay);
  }
}
