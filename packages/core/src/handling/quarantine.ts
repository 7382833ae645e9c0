import { randomUUID } from "node:crypto";
import { PapaError } from "../errors/papa-error.ts";
import { GivenUp } from "../outcome/given-up.ts";
import type { CancelTimer, Clock } from "../transport/clock.ts";
import type { Delivery, Settled, Settlement } from "../transport/delivery.ts";
import type { Trials } from "../transport/trials.ts";
import type { DeliveryContext } from "./delivery-context.ts";
import type { RunningHandlers } from "./running-handlers.ts";
import { release } from "./settler.ts";

/** How long a suspect waits to be alone, and how long the others wait for its handler and its record: what takes longer goes on beside them. */
const MAX_WAIT_FOR_OTHERS_MS = 10_000;
/** The most that others get between two suspects, each time as long as the suspect took. */
const MAX_TURN_FOR_OTHERS_MS = 1_000;
/** The wait after a record that could not be stored or taken back. */
const BACKOFF_MS = 1_000;

export interface QuarantineOptions {
  readonly trials: Trials;
  readonly running: RunningHandlers;
  readonly clock: Clock;
  /** How many deaths in a trial make an event a dead letter (T6). */
  readonly crashLimit: number;
}

/** A suspect: an event that came back unexplained more than once. */
export interface Suspect {
  readonly delivery: Delivery;
  readonly context: DeliveryContext;
  /** Handles it; resolves when its handler has ended. */
  readonly handle: (delivery: Delivery) => Promise<void>;
  /** Whether its use case still consumes. */
  readonly wanted: () => boolean;
  /** Resolves when its use case may call one more handler (H2); `undefined` where it may now. */
  readonly room: () => Promise<void> | undefined;
}

/**
 * Finds out which event kills its process (T6). Suspects are handled one at a time and alone in their instance, and that
 * one is about to be tried is recorded in the broker before its handler starts. A record that was never taken back was left
 * by a death in that very trial: only this counts against an event, and `crashLimit` of them make it a dead letter.
 */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #suspects: Suspect[] = [];
  /** The trials whose records are still to be taken back. */
  readonly #open = new Set<Promise<void>>();
  /** What takes back the records of the trials that run: one, and those that take long. */
  readonly #running = new Set<() => Promise<void>>();
  /** Suspects whose use case has as many handlers that take long as it may have. */
  readonly #withoutRoom = new Set<Suspect>();
  #working = false;
  #stopped = false;
  #givenBack = false;
  #closed = false;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  add(suspect: Suspect): void {
    this.#suspects.push(suspect);
    if (!this.#working) void this.#work();
  }

  /** Begins no further trial. */
  stop(): void {
    this.#stopped = true;
  }

  /** Gives the suspects back, once nothing more is delivered that would bring them here again. */
  giveBack(): void {
    this.#givenBack = true;
    this.#release(() => true);
  }

  /** Gives the suspects of one use case back, once nothing more of it is delivered. */
  giveBackOf(useCase: string): void {
    this.#release(({ context }) => context.useCase === useCase);
  }

  /** Takes back the records of trials that still run: their process lives. Resolves when no record is left to be taken back. */
  async close(): Promise<void> {
    await Promise.all([...[...this.#running].map((takeBack) => takeBack()), ...this.#open]);
  }

  /** Ends {@link close} as soon as the broker refuses or the connection is gone. */
  giveUp(): void {
    this.#closed = true;
  }

  async #work(): Promise<void> {
    const { running, clock } = this.#options;
    this.#working = true;
    for (let suspect = this.#next(); suspect !== undefined; suspect = this.#next()) {
      const begun = clock.elapsed();
      running.keepFromStarting();
      await this.#inTime(running.none());
      if (this.#stopped) this.#suspects.unshift(suspect);
      else await this.#tryInTime(suspect);
      // Or the next one that dies would leave this one's record as well.
      await this.#inTime(Promise.all(this.#open));
      running.letStart();
      if (this.#stopped || this.#suspects.length === 0) continue;
      await this.#pause(Math.min(clock.elapsed() - begun, MAX_TURN_FOR_OTHERS_MS));
    }
    this.#working = false;
    if (this.#givenBack) this.giveBack();
  }

  #next(): Suspect | undefined {
    return this.#stopped ? undefined : this.#suspects.shift();
  }

  /** Waits for something, but not longer than a suspect and the others may wait for one another. */
  async #inTime(done: Promise<unknown>): Promise<void> {
    let cancel: CancelTimer | undefined;
    const longEnough = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(MAX_WAIT_FOR_OTHERS_MS, resolve, true);
    });
    await Promise.race([done, longEnough]);
    cancel?.();
  }

  /** One trial, or as much of it as the others wait for. */
  async #tryInTime(suspect: Suspect): Promise<void> {
    const room = suspect.room();
    if (room === undefined) {
      await this.#inTime(this.#try(suspect));
      return;
    }
    this.#withoutRoom.add(suspect);
    void room.then(() => {
      if (this.#withoutRoom.delete(suspect)) this.add(suspect);
    });
  }

  /** One trial. Never rejects. */
  async #try({ delivery, context, handle, wanted }: Suspect): Promise<void> {
    const { trials, running, crashLimit } = this.#options;
    const { useCase, id } = context;
    if (delivery.lost) return;
    if (!wanted()) return release(delivery);
    const trial = randomUUID();
    let takenBack: Promise<void> | undefined;
    const takeBack = () => (takenBack ??= this.#takeBack(useCase, id, trial, context));
    const recorded = trials.begin(useCase, id, trial);
    // Also where the broker's answer was lost, and nobody knows whether there is a record.
    const takeBackOnClose = () => recorded.then(takeBack, takeBack);
    this.#running.add(takeBackOnClose);
    try {
      const deaths = await recorded;
      if (this.#stopped || !wanted()) return release(delivery);
      if (deaths > 0) context.logger.warn({ deaths, crashLimit }, "A process died while it handled this event before.");
      const tried = new TriedDelivery(delivery, () => trials.end(useCase, id));
      if (deaths >= crashLimit) context.refuse(new GivenUp("crash-loop", crashLoop(useCase, deaths)));
      await handle(tried);
    } catch (error) {
      context.logger.warn({ err: error }, "A trial could not be recorded; the event goes back to its queue.");
      // Others go on meanwhile.
      running.letStart();
      await this.#pause(BACKOFF_MS);
      release(delivery);
    } finally {
      this.#running.delete(takeBackOnClose);
      const open = takeBack().finally(() => this.#open.delete(open));
      this.#open.add(open);
    }
  }

  /** Tries until it succeeds or the app has stopped: a record that stays counts as a death. */
  async #takeBack(useCase: string, id: string, trial: string, context: DeliveryContext): Promise<void> {
    for (;;) {
      try {
        return await this.#options.trials.end(useCase, id, trial);
      } catch (error) {
        if (this.#closed) return;
        context.logger.debug({ err: error }, "The record of a trial could not be taken back; it is tried again.");
        await this.#pause(BACKOFF_MS);
      }
    }
  }

  /** Releases those that wait and are meant, the last first, so that each goes back before those that were behind it. */
  #release(isMeant: (suspect: Suspect) => boolean): void {
    const suspects = [...this.#withoutRoom, ...this.#suspects].filter(isMeant);
    for (const suspect of suspects) this.#withoutRoom.delete(suspect);
    this.#suspects.splice(0, this.#suspects.length, ...this.#suspects.filter((suspect) => !isMeant(suspect)));
    for (const { delivery } of suspects.reverse()) release(delivery);
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(milliseconds, resolve, true));
  }
}

/** A delivery on trial. When the event has come to its end, the records of all its trials go. */
class TriedDelivery implements Delivery {
  readonly event;
  readonly attempt;
  readonly redeliveries;
  readonly #delivery: Delivery;
  readonly #onEnd: () => Promise<void>;

  constructor(delivery: Delivery, onEnd: () => Promise<void>) {
    this.event = delivery.event;
    this.attempt = delivery.attempt;
    this.redeliveries = delivery.redeliveries;
    this.#delivery = delivery;
    this.#onEnd = onEnd;
  }

  get lost(): boolean {
    return this.#delivery.lost;
  }

  async settle(settlement: Settlement): Promise<Settled> {
    const settled = await this.#delivery.settle(settlement);
    const { kind } = settlement;
    // What could not be removed is only a record without an event.
    if (settled === "stored" && (kind === "done" || kind === "dead")) await this.#onEnd().catch(() => {});
    return settled;
  }
}

function crashLoop(useCase: string, crashes: number): PapaError {
  const message = `${crashes} processes died while they handled this event for "${useCase}", each time with nothing else beside it.`;
  return new PapaError("crash-loop", message, { useCase, crashes });
}
