/** How many batches are in flight at once. What is added meanwhile makes the next ones larger. */
const MAX_IN_FLIGHT = 2;

export interface Batch {
  readonly empty: boolean;
  readonly full: boolean;
}

/** Gathers what is added in one turn into batches, and has them stored, a few at a time. */
export class BatchQueue<B extends Batch> {
  readonly #makeBatch: () => B;
  readonly #store: (batch: B) => Promise<void>;
  #open: B;
  readonly #ready: B[] = [];
  #inFlight = 0;
  #scheduled = false;
  #onIdle: (() => void)[] = [];

  /** @param store stores a batch; never rejects */
  constructor(makeBatch: () => B, store: (batch: B) => Promise<void>) {
    this.#makeBatch = makeBatch;
    this.#store = store;
    this.#open = makeBatch();
  }

  /** The batch to add to. */
  next(): B {
    if (this.#open.full) {
      this.#ready.push(this.#open);
      this.#open = this.#makeBatch();
    }
    if (!this.#scheduled && this.#inFlight < MAX_IN_FLIGHT) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#pump();
      });
    }
    return this.#open;
  }

  /** Resolves when all that was added is stored. */
  async idle(): Promise<void> {
    if (this.#isIdle) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#open.empty && this.#ready.length === 0 && this.#inFlight === 0;
  }

  #pump(): void {
    while (this.#inFlight < MAX_IN_FLIGHT) {
      let batch = this.#ready.shift();
      if (batch === undefined) {
        if (this.#open.empty) return;
        batch = this.#open;
        this.#open = this.#makeBatch();
      }
      void this.#run(batch);
    }
  }

  async #run(batch: B): Promise<void> {
    this.#inFlight += 1;
    await this.#store(batch);
    this.#inFlight -= 1;
    this.#pump();
    if (this.#isIdle) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}
