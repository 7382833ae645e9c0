import { runInContext } from "../context/current-event.ts";
import type { EventContext } from "../context/event-context.ts";
import { type DeadLetterItem, readDeadLetter } from "../dead-letters/item.ts";
import { isPapaError } from "../errors/papa-error.ts";
import { shown } from "../errors/shown.ts";
import { HANDLED, type Outcome } from "../outcome/outcome.ts";
import type { FailurePolicy } from "../retry/failure-policy.ts";
import type { Clock } from "../transport/clock.ts";
import type { Delivery } from "../transport/delivery.ts";
import { sizeOf } from "../transport/event.ts";
import type { DeliveryContext } from "./delivery-context.ts";
import type { HeldBytes } from "./held-bytes.ts";

/** The wait before a settlement that the broker refused is tried again; doubled up to the longest. */
const INITIAL_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 30_000;

/** Notified of retries and dead letters once they are stored; what it throws is logged. */
export interface SettlementListeners {
  /**
   * Called when a failed event's retry has been stored, with what was thrown and the delay in milliseconds. What it throws is
   * logged; `stop` waits for a promise that it returns.
   */
  readonly onRetry?: ((context: EventContext, error: unknown, delay: number) => unknown) | undefined;
  /** Called when a dead letter has been stored, under whose id it is found. What it throws is logged; `stop` waits for a promise that it returns. */
  readonly onDeadLetter?: ((item: DeadLetterItem) => unknown) | undefined;
}

export interface SettlerOptions extends SettlementListeners {
  readonly policy: FailurePolicy;
  readonly held: HeldBytes;
  readonly clock: Clock;
  /** How long outputs that the broker refuses for now are offered again, in milliseconds, before the event waits in their place. */
  readonly patience: number;
  /** Called when the broker refuses a settlement, and with `undefined` when it stores one again. */
  readonly onProblem: (problem: string | undefined) => void;
}

/** Sees to it that every outcome is stored, and notifies the listeners of what is (L6). */
export class Settler {
  readonly #options: SettlerOptions;
  /** Settlements that are not stored yet, other than plain acknowledgements, which `Connection.close` flushes. */
  #open = 0;
  /** Deliveries whose outcome the broker has refused so far. */
  readonly #refused = new Set<Delivery>();
  /** Ends the waits of outcomes that are to be offered again. */
  readonly #waits = new Set<() => void>();
  #closed = false;
  #onIdle: (() => void)[] = [];

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Resolves when every outcome given so far is stored or lost, and the listeners have been notified. */
  async idle(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Stores nothing more, also of what the broker has refused so far. */
  close(): void {
    this.#closed = true;
  }

  /** Offers again at once what was refused. To be called when the connection is back: what it has lost makes room for others. */
  offerAgain(): void {
    for (const end of [...this.#waits]) end();
  }

  /** Settles a delivery. Who calls it need not wait until that is stored. */
  settle(delivery: Delivery, context: DeliveryContext, outcome: Outcome): void {
    if (outcome === HANDLED && !context.hasScope) {
      // Nothing is to be stored, so nothing can be refused.
      context.stage = "over";
      void delivery.settle(outcome.settlement);
      return;
    }
    void this.#settle(delivery, context, outcome);
  }

  async #settle(delivery: Delivery, context: DeliveryContext, first: Outcome): Promise<void> {
    const { held } = this.#options;
    const size = sizeOf(delivery.event) + outputSize(first);
    this.#open += 1;
    context.stage = "settling";
    held.settling(size);
    try {
      const stored = await this.#store(delivery, context, first).finally(() => held.settled(size));
      if (stored !== undefined) await this.#notify(context, first, stored);
      // Not under a handler that goes on after its timeout.
      if (context.running !== undefined) await context.running;
      if (context.hasScope) await context.disposeScope();
    } finally {
      context.stage = "over";
      this.#open -= 1;
      if (this.#open === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  /** Stores an outcome, or what is decided in its place; gives what was stored, `undefined` where nothing was. */
  async #store(delivery: Delivery, context: DeliveryContext, first: Outcome): Promise<Outcome | undefined> {
    const { clock, policy, patience } = this.#options;
    const since = clock.elapsed();
    let outcome = first;
    for (let backoff = INITIAL_BACKOFF_MS; !this.#closed; backoff = Math.min(backoff * 2, MAX_BACKOFF_MS)) {
      try {
        const settled = await delivery.settle(outcome.settlement);
        this.#accepted(delivery);
        if (settled === "stored") return outcome;
        context.logger.debug(
          { settlement: outcome.settlement.kind },
          "An event was lost before its outcome was stored.",
        );
        return undefined;
      } catch (error) {
        const { kind } = outcome.settlement;
        this.#logRefusal(context, kind, error);
        this.#refused.add(delivery);
        this.#options.onProblem(`the broker refuses to store a settlement (${kind}): ${messageOf(error)}`);
        const forNow = isPapaError(error) && error.retryable;
        const other = forNow ? undefined : policy.instead(context, outcome, error);
        if (other !== undefined) outcome = other;
        else if (kind === "done" && clock.elapsed() - since >= patience) outcome = policy.decideRefused(context, error);
        else await this.#wait(backoff);
      }
    }
    this.#accepted(delivery);
    return undefined;
  }

  /** Once above debug while the broker refuses: a full one refuses each event, each time it is offered. */
  #logRefusal({ logger }: DeliveryContext, settlement: string, err: unknown): void {
    const first = this.#refused.size === 0;
    logger[first ? "error" : "debug"]({ err, settlement }, "The broker refused to store what became of an event.");
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#waits.delete(end);
        resolve();
      };
      const cancel = this.#options.clock.after(milliseconds, end);
      this.#waits.add(end);
    });
  }

  /** Reports that the problem is over when nothing is refused any more: that something else is stored says nothing. */
  #accepted(delivery: Delivery): void {
    if (this.#refused.delete(delivery) && this.#refused.size === 0) this.#options.onProblem(undefined);
  }

  async #notify(context: DeliveryContext, first: Outcome, { settlement, error }: Outcome): Promise<void> {
    const { onRetry, onDeadLetter } = this.#options;
    const { attempt, useCase, logger } = context;
    if (settlement.kind === "retry") {
      const { delay } = settlement;
      const refused = first.settlement.kind === "done";
      const what = refused ? "What a handler returned is refused" : "A handler failed";
      logger.warn({ err: error, attempt, delay }, `${what}; the event is tried again.`);
      if (onRetry !== undefined) await this.#call(context, () => onRetry(context, error, delay));
    }
    if (settlement.kind === "dead") {
      logger.error({ err: error, attempt, deadLetterId: settlement.id }, "An event became a dead letter.");
      if (onDeadLetter !== undefined)
        await this.#call(context, () => onDeadLetter(readDeadLetter(settlement, useCase)));
    }
  }

  /** In the event's context, so that what a listener publishes names it as its cause. */
  async #call(context: DeliveryContext, listener: () => unknown): Promise<void> {
    try {
      await runInContext(context, listener, undefined);
    } catch (problem) {
      context.logger.error({ err: problem }, "onRetry or onDeadLetter failed.");
    }
  }
}

/** Gives a delivery back that was not handled. */
export function release(delivery: Delivery): void {
  void delivery.settle({ kind: "release" });
}

function outputSize({ settlement }: Outcome): number {
  if (settlement.kind !== "done") return 0;
  return settlement.outputs.reduce((sum, output) => sum + sizeOf(output), 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : shown(error);
}
