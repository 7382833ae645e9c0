import type { PublishOrder } from "./order.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** How many calls of `newEvent` a publisher has waiting at once. */
const WINDOW = 200;
/** Numbers of one publisher and the next are this far apart. */
const RANGE = 2 ** 24;

export type PublishSettings = Pick<PublishOrder, "count"> & Partial<Pick<PublishOrder, "window" | "rate">>;

interface PublisherOptions {
  readonly start: (
    order: Pick<PublishOrder, "from" | "count" | "window" | "rate">,
    onFact: (fact: string) => void,
  ) => Promise<WorkerProcess>;
  readonly onEnd: (worker: WorkerProcess) => void;
}

/** A place that one publishing process fills after another. No two of them use one number. */
export class Publisher {
  worker: WorkerProcess | undefined;
  /** How many of its events are confirmed. */
  confirmed = 0;
  readonly #options: PublisherOptions;
  /** The first number of the one that runs, how many of its calls came to an end, and how many of its may be open. */
  #from: number;
  #ended = 0;
  #window = 0;

  /** @param index from 0 */
  constructor(index: number, options: PublisherOptions) {
    this.#from = RANGE * index;
    this.#options = options;
  }

  /** The number of the first event of the next process. */
  get next(): number {
    // What it had begun may be stored or not.
    return this.#from + this.#ended + this.#window;
  }

  /** Starts a process in place of the one before. It begins by its `go`. */
  async start({ count, window = WINDOW, rate }: PublishSettings): Promise<WorkerProcess> {
    await this.kill();
    this.#from = this.next;
    this.#ended = 0;
    this.#window = Math.min(window, count);
    const onFact = (fact: string) => {
      this.#ended += 1;
      if (fact.startsWith("confirmed ")) this.confirmed += 1;
    };
    this.worker = await this.#options.start({ from: this.#from, count, window, rate }, onFact);
    return this.worker;
  }

  async kill(): Promise<void> {
    const { worker } = this;
    if (worker === undefined) return;
    this.worker = undefined;
    await worker.kill();
    this.#options.onEnd(worker);
  }
}
