import { PapaError } from "@papa-events/core";
import type {
  Clock,
  Connection,
  ConnectOptions,
  DeadLetterStore,
  Declarations,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  SubscribeOptions,
  Subscription,
  Trials,
  Unconfirmed,
} from "@papa-events/core/transport";
import type { Broker } from "./broker.ts";
import { capabilities } from "./capabilities.ts";
import { Held } from "./consuming/held.ts";
import type { Queue } from "./consuming/queue.ts";
import { Subscriber } from "./consuming/subscriber.ts";

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
  readonly declarations: Declarations;
  readonly trials: Trials;
  readonly #held: Held;
  #connected = true;
  #ended = false;

  constructor(broker: Broker, options: ConnectOptions, onEnd: () => void) {
    this.#broker = broker;
    this.#options = options;
    this.#onEnd = onEnd;
    this.clock = broker.clock;
    this.#held = new Held(options.maxHeldBytes);
    this.declarations = this.#declarations();
    this.trials = this.#trials();
  }

  /** Confirms in a turn of its own: a publisher that goes on at once would leave handlers no turn to run in. */
  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    if (this.#connected) this.#broker.publish(events);
    const error = this.#connected ? undefined : lost();
    const unconfirmed = error === undefined ? NONE : events.map((_, index) => ({ index, error }));
    return new Promise((resolve) => setImmediate(resolve, unconfirmed));
  }

  async subscribe(useCase: string, options: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription> {
    this.#assertConnected();
    const publish = (outputs: readonly EncodedEvent[]) => this.#broker.publish(outputs);
    const subscriber = new Subscriber(this.#queue(useCase), options, this.#held, onDelivery, publish);
    this.#subscribers.push(subscriber);
    return subscriber;
  }

  deadLetters(useCase: string): DeadLetterStore {
    const stored = async () => this.#queue(useCase).deadLetters;
    return {
      count: async () => (await stored()).count(),
      list: async (query) => (await stored()).list(query),
      get: async (id) => (await stored()).get(id),
      redrive: async (ids, revive) => (await stored()).redrive(ids, revive),
      purge: async (ids) => (await stored()).purge(ids),
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
    this.#options.onStatus({ connected: false, error: lost() });
  }

  /** Loses or restores the connection. */
  setConnected(connected: boolean): void {
    if (this.#ended || connected === this.#connected) return;
    this.#connected = connected;
    for (const subscriber of this.#subscribers) {
      if (connected) subscriber.resume();
      else subscriber.giveBack(true);
    }
    this.#options.onStatus(connected ? { connected } : { connected, error: lost() });
  }

  #declarations(): Declarations {
    const broker = this.#broker;
    return {
      declare: async (declarations) => {
        this.#assertConnected();
        for (const declaration of declarations) broker.declare(this.#options.appName, declaration);
      },
      list: async (useCase?: string) => {
        this.#assertConnected();
        return broker.declarations(useCase);
      },
      withdraw: async (useCase, patterns, idle) => {
        this.#assertConnected();
        broker.withdraw(useCase, patterns, idle);
      },
    };
  }

  /** A process that was killed takes nothing back. */
  #trials(): Trials {
    const { trials } = this.#broker;
    return {
      begin: async (useCase, eventId, trial) => {
        this.#assertConnected();
        return trials.begin(useCase, eventId, trial);
      },
      end: async (useCase, eventId, trial) => {
        if (this.#ended) return;
        this.#assertConnected();
        await trials.end(useCase, eventId, trial);
      },
    };
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
    if (!this.#connected) throw lost();
  }
}

/** Makes the error of whatever needs a connection and has none. */
export function lost(): PapaError {
  return new PapaError(
    "connection-failed",
    "The connection to the broker in memory is lost.",
    { transport: "memory" },
    { retryable: true },
  );
}
