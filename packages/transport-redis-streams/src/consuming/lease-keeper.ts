import { isGone, isReply } from "../client/errors.ts";
import { tend } from "../scripts/tend.ts";
import { GROUP, RELEASED } from "../wire/keys.ts";
import type { Subscriber } from "./subscriber.ts";

/** The longest between two looks, in milliseconds: how soon a living consumer takes over what another handed back. */
const INTERVAL = 1_000;
/** How many due events are put back at once. */
const DUE_AT_ONCE = 128;

/** Prolongs a consumer's lease, puts due events back into the queue, takes over from the dead. */
export class Tender {
  readonly #subscriber: Subscriber;
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, by the monotonic clock. */
  #at = 0;
  #joining = true;
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber;
    this.#interval = Math.min(INTERVAL, subscriber.options.target.lease / 3);
  }

  /** Whether the lease of the present claim runs. */
  get begun(): boolean {
    return !this.#joining;
  }

  /** Begins the lease. @throws PapaError */
  async begin(): Promise<void> {
    await this.alone(() => this.#run());
  }

  /** Begins the lease of a new claim at once. */
  join(): void {
    this.#joining = true;
    this.dueIn(0);
  }

  /** Looks again in so many milliseconds, if not sooner. */
  dueIn(delay: number): void {
    if (this.#ended) return;
    const at = performance.now() + Math.min(delay, this.#interval);
    if (this.#timer !== undefined) {
      if (this.#at <= at) return;
      clearTimeout(this.#timer);
    }
    this.#at = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.alone(() => this.#look());
      },
      Math.max(0, at - performance.now()),
    );
  }

  /** Runs between two looks. */
  alone<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(act);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    if (this.#ended) return;
    const { link, logger, useCase } = this.#subscriber.options;
    try {
      if (link().up) await this.#run();
    } catch (error) {
      if (!isReply(error)) this.#subscriber.suspect();
      else if (!isGone(error)) logger.warn({ useCase, error }, "The server could not be asked for due events.");
    }
    this.dueIn(this.#interval);
  }

  async #run(): Promise<void> {
    const subscriber = this.#subscriber;
    const { claim, room, options } = subscriber;
    const { queue, leases, due, waiting } = options.keys;
    const joining = this.#joining;
    const reply = (await options
      .link()
      .runForBytes(
        tend,
        [queue, leases, due, waiting],
        [GROUP, claim.consumer, options.target.lease, joining ? 1 : 0, room, RELEASED, DUE_AT_ONCE],
      )) as Reply;
    if (joining && claim === subscriber.claim) this.#joining = false;
    const [ended, next, ...taken] = reply;
    for (let at = 0; at + 2 < taken.length; at += 3) {
      const fields = taken[at + 2] as Buffer[];
      subscriber.deliver(claim, String(taken[at]), fields, taken[at + 1] as number);
    }
    if (ended === 1) subscriber.startAnew(claim);
    this.dueIn(next === -1 ? this.#interval : next);
  }
}

/** As the script says. */
type Reply = readonly [ended: number, next: number, ...taken: readonly (Buffer | number | Buffer[])[]];
