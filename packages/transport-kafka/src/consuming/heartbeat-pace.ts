/** Only a heartbeat tells that another member has come or left, and the events of all wait until the last one knows. */
const INTERVAL_MS = 200;
/** Where few events come. */
const IDLE_INTERVAL_MS = 1_000;
const FEW_PER_SECOND = 20;

/** How often a member of a group sends heartbeats. */
export class HeartbeatPace {
  readonly #longest: number;
  readonly #attentive: boolean;
  #interval = INTERVAL_MS;
  /** Since the last heartbeat. */
  #settled = Number.POSITIVE_INFINITY;

  /**
   * @param longest milliseconds
   * @param attentive whether others are never kept waiting, though this member has nothing to do
   */
  constructor(longest: number, attentive: boolean) {
    this.#longest = longest;
    this.#attentive = attentive;
  }

  /** To be called after each join: where one has just come another often leaves, as in a rolling deploy. */
  joined(): void {
    this.#settled = Number.POSITIVE_INFINITY;
  }

  /** To be called when a delivery has ended. */
  settled(): void {
    this.#settled += 1;
  }

  /** For how many milliseconds the next heartbeat is waited for. */
  next(): number {
    const isIdle = !this.#attentive && this.#settled * 1_000 < FEW_PER_SECOND * this.#interval;
    this.#settled = 0;
    this.#interval = Math.min(isIdle ? IDLE_INTERVAL_MS : INTERVAL_MS, this.#longest);
    return this.#interval;
  }
}
