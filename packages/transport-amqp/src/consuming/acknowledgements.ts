/** What is used of a channel. */
export interface AckChannel {
  ack(message: { readonly fields: { readonly deliveryTag: number } }, allUpTo?: boolean): void;
  nack(message: { readonly fields: { readonly deliveryTag: number } }, allUpTo?: boolean, requeue?: boolean): void;
}

/** How long what is settled behind a slower delivery waits to become part of one acknowledgement, in milliseconds. */
const GAP_PATIENCE = 5;

/**
 * Gathers the acknowledgements of one channel: once per turn of the event loop one `ack(multiple)` up to the highest tag
 * below which all is settled. Each acknowledgement is a command in a quorum queue's log; one for many took consuming
 * from 45,000 to 89,000 events/s. What is settled behind a slow delivery is acknowledged one by one a little later, or a
 * slow handler would use up the prefetch for all the others.
 *
 * Belongs to one channel: tags of another mean other messages.
 */
export class Acknowledgements {
  readonly #channel: AckChannel;
  /** The tag that is expected next: all below are settled. */
  #next = 1;
  /** The highest tag below `next` that is not acknowledged yet; 0 if there is none. */
  #due = 0;
  /** Settled and not acknowledged, above `next`. */
  readonly #ahead = new Set<number>();
  /** Acknowledged or returned one by one, above `next`. */
  readonly #gone = new Set<number>();
  #planned = false;
  #timer: NodeJS.Timeout | undefined;
  #open = true;

  constructor(channel: AckChannel) {
    this.#channel = channel;
  }

  /** How many deliveries the broker hands out at once; what is held back here is missing there. */
  prefetch = 0;

  ack(tag: number): void {
    if (!this.#open) return;
    if (tag === this.#next) {
      this.#due = tag;
      this.#next += 1;
      this.#advance();
    } else {
      this.#ahead.add(tag);
    }
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => this.#endTurn());
  }

  /** Gives a delivery back at once. */
  requeue(tag: number): void {
    if (!this.#open) return;
    this.#send(() => this.#channel.nack({ fields: { deliveryTag: tag } }, false, true));
    this.#gone.add(tag);
    this.#advance();
  }

  /** Acknowledges all that is settled. */
  flush(): void {
    this.#flushContiguous();
    for (const tag of this.#ahead) {
      this.#send(() => this.#channel.ack({ fields: { deliveryTag: tag } }));
      this.#gone.add(tag);
    }
    this.#ahead.clear();
  }

  /** Forgets everything: the channel is gone, and its deliveries come back. */
  drop(): void {
    this.#open = false;
    clearTimeout(this.#timer);
  }

  #endTurn(): void {
    this.#planned = false;
    this.#flushContiguous();
    if (this.#ahead.size === 0) return;
    if (this.#ahead.size * 4 >= this.prefetch) {
      this.flush();
      return;
    }
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, GAP_PATIENCE);
  }

  #flushContiguous(): void {
    if (this.#due === 0) return;
    // The tag itself has to be open still: the broker closes the channel for one that it does not know.
    const tag = this.#due;
    this.#due = 0;
    this.#send(() => this.#channel.ack({ fields: { deliveryTag: tag } }, true));
  }

  #advance(): void {
    for (;;) {
      if (this.#ahead.delete(this.#next)) this.#due = this.#next;
      else if (!this.#gone.delete(this.#next)) return;
      this.#next += 1;
    }
  }

  /** After a channel's end amqplib throws at once, before anybody is told of the end. */
  #send(send: () => void): void {
    if (!this.#open) return;
    try {
      send();
    } catch {
      this.drop();
    }
  }
}
