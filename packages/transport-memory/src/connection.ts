import { PapaError } from "@papa-events/core";
import type {
  Clock,
  Connection,
  ConnectOptions,
  DeadLetterStore,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  ShownPattern,
  Subscription,
  Unconfirmed,
  UseCaseDeclaration,
} from "@papa-events/core/transport";
import type { Broker } from "./broker.ts";
import { capabilities } from "./capabilities.ts";
import type { Queue } from "./queue.ts";
import { Subscriber } from "./subscriber.ts";

const NONE: readonly Unconfirmed[] = [];

/** One app's way to the broker: what it subscribes to ends with it. */
export class MemoryConnection implements Connection {
  readonly capabilities = capabilities;
  readonly clock: Clock;
  readonly #broker: Broker;
  readonly #options: ConnectOptions;
  readonly #onEnd: () => void;
  readonly #subscribers: Subscriber[] = [];
  readonly #keepAlive = setInterval(() => {}, 2 ** 30);
  #connected = true;
  #ended = false;

  constructor(broker: Broker, options: ConnectOptions, onEnd: () => void) {
    this.#broker = broker;
    this.#options = options;
    this.#onEnd = onEnd;
    this.clock = broker.clock;
  }

  async declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    this.#assertConnected();
    for (const { name, patterns } of useCases) this.#broker.declare(name, patterns);
  }

  async declarations(useCase: string): Promise<readonly ShownPattern[]> {
    this.#assertConnected();
    const now = this.clock.elapsed();
    return [...(this.#broker.queue(useCase)?.shown ?? [])].map(([pattern, shown]) => ({ pattern, idle: now - shown }));
  }

  async withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    this.#assertConnected();
    this.#broker.withdraw(useCase, patterns, idle);
  }

  /** Confirms in a turn of its own: a publisher that goes on at once would leave handlers no turn to run in. */
  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    if (this.#connected) this.#broker.publish(events);
    const error = this.#connected ? undefined : this.#lost();
    const unconfirmed = error === undefined ? NONE : events.map((_, index) => ({ index, error }));
    return new Promise((resolve) => setImmediate(resolve, unconfirmed));
  }

  async subscribe(useCase: string, readAhead: number, onDelivery: OnDelivery): Promise<Subscription> {
    this.#assertConnected();
    const subscriber = new Subscriber(this.#queue(useCase), readAhead, onDelivery, (outputs) =>
      this.#broker.publish(outputs),
    );
    this.#subscribers.push(subscriber);
    return subscriber;
  }

  deadLetters(useCase: string): DeadLetterStore {
    const letters = async () => this.#queue(useCase).letters;
    return {
      count: async () => (await letters()).count(),
      list: async (query) => (await letters()).list(query),
      get: async (id) => (await letters()).get(id),
      redrive: async (ids, revive) => (await letters()).redrive(ids, revive),
      purge: async (ids) => (await letters()).purge(ids),
    };
  }

  async inspect(useCase: string): Promise<QueueStats> {
    return this.#queue(useCase).stats;
  }

  async close(): Promise<void> {
    this.#end(false);
  }

  /** As if the process were killed. */
  sever(): void {
    this.#end(true);
    this.#options.onStatus({ connected: false, error: this.#lost() });
  }

  /** Loses or mends the connection. */
  setConnected(connected: boolean): void {
    if (this.#ended || connected === this.#connected) return;
    this.#connected = connected;
    for (const subscriber of this.#subscribers) {
      if (connected) subscriber.resume();
      else subscriber.giveBack(true);
    }
    this.#options.onStatus(connected ? { connected } : { connected, error: this.#lost() });
  }

  #end(crashed: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connected = false;
    clearInterval(this.#keepAlive);
    for (const subscriber of this.#subscribers) {
      void subscriber.stop();
      subscriber.giveBack(crashed);
    }
    this.#onEnd();
  }

  #queue(useCase: string): Queue {
    const queue = this.#broker.queue(useCase);
    if (queue !== undefined) return queue;
    throw new PapaError("unknown-use-case", `No app has declared a use case "${useCase}" on this broker.`, { useCase });
  }

  #assertConnected(): void {
    if (!this.#connected) throw this.#lost();
  }

  #lost(): PapaError {
    return new PapaError(
      "connection-failed",
      "The connection to the broker in memory is lost.",
      { transport: "memory" },
      { retryable: true },
    );
  }
}
