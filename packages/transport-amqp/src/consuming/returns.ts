import type { Acknowledgements } from "./acknowledgements.ts";
import type { AmqpDelivery } from "./delivery.ts";

/** How long an event waits that is given back while its consumer goes on: the broker might hand it out here again at once. */
const PAUSE_MS = 1_000;

export interface ReturnsOptions {
  readonly acks: Acknowledgements;
  /** Puts a copy of a message at the end of its queue; resolves to whether it is there. */
  readonly storeCopy: (delivery: AmqpDelivery) => Promise<boolean>;
}

interface Waiting {
  readonly delivery: AmqpDelivery;
  readonly resolve: () => void;
}

/**
 * Gives deliveries back to their queue. The broker counts each return, and neither a clean stop nor a release may make
 * an event a suspect. So only what never came back before is returned, once. Anything else is replaced by a copy, which
 * carries the count that it had.
 */
export class Returns {
  readonly #options: ReturnsOptions;
  /** What waits for the end of the pause. */
  #waiting: Waiting[] = [];
  #pause = PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #open = true;

  constructor(options: ReturnsOptions) {
    this.#options = options;
  }

  /** Gives a delivery back, soon; resolves when that is done, or when the channel is gone. */
  add(delivery: AmqpDelivery): Promise<void> {
    if (!this.#open) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ delivery, resolve });
      this.#timer ??= setTimeout(() => void this.#flush(), this.#pause);
    });
  }

  /** Gives back what waits, and whatever comes later without a pause: the broker hands out nothing here any more. */
  async endPause(): Promise<void> {
    this.#pause = 0;
    await this.#flush();
  }

  /** Gives nothing back any more: the channel is gone, and the broker returns all of it. */
  drop(): void {
    this.#open = false;
    clearTimeout(this.#timer);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // In the queue's order, which a stop turns round.
    const waiting = this.#waiting.splice(0).sort((a, b) => a.delivery.tag - b.delivery.tag);
    await Promise.all(waiting.map((each) => this.#giveBack(each)));
  }

  async #giveBack({ delivery, resolve }: Waiting): Promise<void> {
    const { acks, storeCopy } = this.#options;
    const copied = delivery.received.redeliveries > 0 && (await storeCopy(delivery).catch(() => false));
    if (this.#open && copied) acks.ack(delivery.received.message);
    if (this.#open && !copied) acks.requeue(delivery.received.message);
    resolve();
  }
}
