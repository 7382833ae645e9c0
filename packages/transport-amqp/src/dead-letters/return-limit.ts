/**
 * After how many returns a dead letter is renewed: each after its own number, so that no pass has all of them to renew.
 * RabbitMQ 4 destroys a message at its 21st return to a quorum queue without a dead-letter exchange, and the arguments of
 * this queue are the original's.
 */
const MIN_RETURNS = 5;
const SPREAD = 8;
/** If any has so many, passes were killed, which renew little. */
const URGENT_RETURNS = 14;
/** How many find out whether the broker takes one more return. As many that are stored meanwhile would hide their loss. */
const MAX_SCOUTS = 64;

/** Decides which dead letters may be returned once more, by what one pass has seen of the queue's limit. */
export class ReturnLimit {
  /** A message that was returned so often is known to be kept by the broker. */
  #proven = 1;
  /** The most returns that any has. They say what the limit was, not what it is. */
  #most = 0;
  #isTested = false;
  #isReached = false;

  /** Whether the broker has destroyed what was returned. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** Whether some may not be returned often any more. */
  get isUrgent(): boolean {
    return this.#isReached || this.#most >= URGENT_RETURNS;
  }

  /** @param scouts how many are to find it out already */
  verdict(id: string, returns: number, scouts: number): "return" | "renew" | "test" {
    this.#most = Math.max(this.#most, returns);
    if (returns === 0) return "return";
    if (this.#isReached || returns >= MIN_RETURNS + (id.charCodeAt(id.length - 1) % SPREAD)) return "renew";
    // The more the first test shows the better.
    if (!this.#isTested) return "test";
    if (returns < this.#proven) return "return";
    return scouts < MAX_SCOUTS ? "test" : "renew";
  }

  /** Messages that had been returned so often were returned once more. From a loss on, nothing is returned that was before. */
  tested(returns: number, survived: boolean): void {
    this.#isTested = true;
    if (survived) this.#proven = Math.max(this.#proven, returns + 1);
    else this.#isReached = true;
  }
}
