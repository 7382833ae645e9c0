import type { Broker, BrokerProxy } from "@papa-events/conformance/brokers";
import { Counts } from "./counts.ts";
import { WorkerProcess } from "./worker-process.ts";

const PER_SECOND = 1_000;

/** A broker, a process that publishes, one that handles, and a way to it that can be cut. */
export class Field {
  readonly broker: Broker;
  readonly proxy: BrokerProxy;
  readonly counts = new Counts();
  readonly #uri: string;
  readonly #events: number;
  #consumer: WorkerProcess | undefined;
  #publisher: WorkerProcess | undefined;
  /** The number of the publisher's first event. */
  #from = 0;

  constructor(broker: Broker, proxy: BrokerProxy, events: number) {
    this.broker = broker;
    this.proxy = proxy;
    this.#uri = `${proxy.uri}${proxy.uri.includes("?") ? "&" : "?"}prefix=faults`;
    this.#events = events;
  }

  /** Whether the publisher still has something to publish: a fault later than that meets an idle system. */
  get busy(): boolean {
    return this.#publisher?.done !== true;
  }

  async startConsumer(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#consumer = new WorkerProcess(["handle", this.#uri], (word, number) => {
        if (word === "ready") resolve();
        else this.counts.hear(word, number);
      });
    });
  }

  async killConsumer(): Promise<void> {
    await this.#consumer?.end("SIGKILL");
    await this.startConsumer();
  }

  startPublisher(): void {
    this.#publish(0, this.#events);
  }

  /** What the killed one had not confirmed may be stored or not; the next begins behind what it may have sent. */
  async killPublisher(): Promise<void> {
    const publisher = this.#publisher;
    if (publisher === undefined || !publisher.running) return;
    await publisher.end("SIGKILL");
    this.#publish(this.#from + this.#events, this.#from + 2 * this.#events - this.counts.confirmed);
  }

  async published(): Promise<void> {
    while (this.busy) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async end(): Promise<void> {
    if (this.#publisher?.running) await this.#publisher.end("SIGKILL");
    if (this.#consumer?.running) await this.#consumer.end("SIGTERM");
  }

  #publish(from: number, to: number): void {
    this.#from = from;
    const hear = (word: string, number: number) => this.counts.hear(word, number);
    this.#publisher = new WorkerProcess(["publish", this.#uri, from, to, PER_SECOND], hear);
  }
}
