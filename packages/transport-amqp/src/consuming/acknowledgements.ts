/** A message that was delivered. What instruments amqplib tells messages by their identity. */
export interface Delivered {
  readonly fields: { readonly deliveryTag: number };
}

/** The part of a channel that acknowledges. */
export interface AckChannel {
  ack(message: Delivered, allUpTo?: boolean): void;
  nack(message: Delivered, allUpTo?: boolean, requeue?: boolean): void;
}

/** How long a settled delivery waits for slower ones before it, so that one acknowledgement covers them all. */
const MAX_GAP_WAIT_MS = 5;

/**
 * Batches the acknowledgements of one channel: one `ack(multiple)` per turn of the event loop, up to the highest tag
 * below which all is settled. Each acknowledgement is a command in a quorum queue's log, and one for many took
 * consuming from 45,000 to 89,000 events/s. Deliveries settled behind a slow one are acknowledged one by one a little
 * later. Otherwise a slow handler would use up the prefetch for all the others.
 *
 * Belongs to one channel: the same tag on another channel is another message.
 */
export class Acknowledgements {
  readonly #channel: AckChannel;
  /** The lowest tag that is not settled. */
  #next = 1;
  /** What has the highest tag below `next` and is still to be acknowledged. */
  #due: Delivered | undefined;
  /** What has tags above `next` and is settled and not acknowledged. */
  readonly #ahead = new Map<number, Delivered>();
  /** Tags above `next` that were acknowledged or returned one by one. */
  readonly #gone = new Set<number>();
  #planned = false;
  #held = false;
  #timer: NodeJS.Timeout | undefined;
  #open = true;

  constructor(channel: AckChannel) {
    this.#channel = channel;
  }

  /** How many deliveries the broker hands out at once. Each acknowledgement that waits here uses up one of them. */
  prefetch = 0;

  /** Acknowledges a delivery, soon. */
  ack(message: Delivered): void {
    if (!this.#open) return;
    const tag = message.fields.deliveryTag;
    if (tag === this.#next) {
      this.#due = message;
      this.#next += 1;
      this.#advance();
    } else {
      this.#ahead.set(tag, message);
    }
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => this.#endTurn());
  }

  /** Returns a delivery to its queue at once. */
  requeue(message: Delivered): void {
    if (!this.#open) return;
    this.#send(() => this.#channel.nack(message, false, true));
    this.#gone.add(message.fields.deliveryTag);
    this.#advance();
  }

  /** Acknowledges everything that is settled. */
  flush(): void {
    this.#flushContiguous();
    for (const [tag, message] of this.#ahead) {
      this.#send(() => this.#channel.ack(message));
      this.#gone.add(tag);
    }
    this.#ahead.clear();
  }

  /** Acknowledges everything that is settled, and nothing more until {@link resume}. */
  hold(): void {
    this.flush();
    this.#held = true;
  }

  resume(): void {
    this.#held = false;
    this.flush();
  }

  /** Forgets everything: the channel is gone, and the broker redelivers. */
  drop(): void {
    this.#open = false;
    clearTimeout(this.#timer);
  }

  #endTurn(): void {
    this.#planned = false;
    if (this.#held) return;
    this.#flushContiguous();
    if (this.#ahead.size === 0) return;
    if (this.#ahead.size * 4 >= this.prefetch) {
      this.flush();
      return;
    }
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#held) this.flush();
    }, MAX_GAP_WAIT_MS);
  }

  #flushContiguous(): void {
    // Its tag itself must still be open: the broker closes the channel over one that it does not know.
    const message = this.#due;
    if (message === undefined) return;
    this.#due = undefined;
    this.#send(() => this.#channel.ack(message, true));
  }

  #advance(): void {
    for (;;) {
      const settled = this.#ahead.size === 0 ? undefined : this.#ahead.get(this.#next);
      if (settled !== undefined) {
        this.#ahead.delete(this.#next);
        this.#due = settled;
      } else if (!this.#gone.delete(this.#next)) return;
      this.#next += 1;
    }
  }

  /** On a closed channel amqplib throws, already before it emits `close`. */
  #send(send: () => void): void {
    if (!this.#open) return;
    try {
      send();
    } catch {
      this.drop();
    }
  }
}
