import { type DeadLetterItem, readDeadLetter } from "../dead-letters/item.ts";
import { isPapaError } from "../errors/papa-error.ts";
import type { Clock } from "../transport/clock.ts";
import type { Delivery, Settlement } from "../transport/delivery.ts";
import { runInContext } from "./current-event.ts";
import type { DeliveryContext } from "./delivery-context.ts";
import type { EventContext } from "./event-context.ts";
import type { FailurePolicy } from "./failure-policy.ts";
import { HANDLED, type Outcome } from "./outcome.ts";

/** The wait before a settlement that the broker refused is tried again; doubled up to the longest. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 30_000;

/** Told of retries and dead letters once they are stored; what it throws is logged. */
export interface SettlementListeners {
  readonly onRetry?: ((context: EventContext, error: unknown, delay: number) => unknown) | undefined;
  readonly onDeadLetter?: ((item: DeadLetterItem) => unknown) | undefined;
}

export interface SettlerOptions extends SettlementListeners {
  readonly policy: FailurePolicy;
  readonly clock: Clock;
}

/** Sees that every outcome is stored, and tells who wants to know. */
export class Settler {
  readonly #options: SettlerOptions;
  /** Settlements that are not stored yet, other than plain acknowledgements, which `Connection.close` flushes. */
  #open = 0;
  #onIdle: (() => void)[] = [];

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Resolves when every outcome given so far is stored. */
  async idle(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Settles, without making the handler's place wait for it. */
  settle(delivery: Delivery, context: DeliveryContext, outcome: Outcome): void {
    if (outcome === HANDLED && !context.awaitsSettlement) {
      // Nothing is to be stored, so nothing can be refused.
      void delivery.settle(outcome.settlement);
      return;
    }
    void this.#settle(delivery, context, outcome);
  }

  async #settle(delivery: Delivery, context: DeliveryContext, first: Outcome): Promise<void> {
    this.#open += 1;
    let outcome = first;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        await delivery.settle(outcome.settlement);
        break;
      } catch (error) {
        context.logger.error(
          { error },
          `The broker refused to store what became of an event (${outcome.settlement.kind}).`,
        );
        outcome = this.#instead(delivery, context, outcome, error);
        if (outcome.settlement.kind !== "done")
          await new Promise<void>((resolve) => this.#options.clock.after(pause, resolve));
      }
    }
    this.#tell(context, outcome);
    // Not under a handler that goes on after its timeout.
    if (context.running !== undefined) await context.running;
    if (context.awaitsSettlement) await context.settled();
    this.#open -= 1;
    if (this.#open === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Outputs that the broker refuses for good make a dead letter, for now a retry; those two are tried until stored. */
  #instead(delivery: Delivery, context: DeliveryContext, outcome: Outcome, error: unknown): Outcome {
    if (outcome.settlement.kind !== "done") return outcome;
    const { policy } = this.#options;
    const { body } = delivery.event;
    const forNow = isPapaError(error) && error.retryable;
    return forNow ? policy.failed(context, body, error) : policy.dead(context, body, "invalid-output", error);
  }

  #tell(context: DeliveryContext, { settlement, error }: Outcome): void {
    const { onRetry, onDeadLetter } = this.#options;
    if (settlement.kind === "retry") {
      context.logger.info(
        { error, attempt: context.attempt, delay: settlement.delay },
        "A handler failed; the event is tried again.",
      );
      if (onRetry !== undefined) this.#listen(context, () => onRetry(context, error, settlement.delay));
    }
    if (settlement.kind === "dead") {
      context.logger.error(
        { error, attempt: context.attempt, deadLetterId: settlement.id },
        "An event became a dead letter.",
      );
      if (onDeadLetter !== undefined)
        this.#listen(context, () => onDeadLetter(readDeadLetter(settlement, context.useCase)));
    }
  }

  #listen(context: DeliveryContext, tell: () => unknown): void {
    const failed = (problem: unknown) => context.logger.error({ error: problem }, "onRetry or onDeadLetter failed.");
    try {
      // In the event's context, so that what a listener publishes names it as its cause.
      Promise.resolve(runInContext(context, tell, undefined)).catch(failed);
    } catch (problem) {
      failed(problem);
    }
  }
}

/** Gives a delivery back that was not started. */
export function release(delivery: Delivery): void {
  const settlement: Settlement = { kind: "release" };
  void delivery.settle(settlement);
}
