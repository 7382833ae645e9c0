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
import { MemoryAdministration } from "./administration/administration.ts";
import type { Broker } from "./broker.ts";
import { capabilities } from "./capabilities.ts";
import { Held } from "./consuming/held.ts";
import type { Queue } from "./consuming/queue.ts";
import { withRawHeaders } from "./consuming/raw-headers.ts";
import { Subscriber } from "./consuming/subscriber.ts";
import { deadLetterStore } from "./dead-letters/dead-letters.ts";

const NONE: readonly Unconfirmed[] = [];

/** One app's way to the broker: what it subscribes to ends with it. */
export class MemoryConnection implements Connection {
  readonly capabilities = capabilities;
  readonly clock: Clock;
  readonly #broker: Broker;
  readonly #options: ConnectOptions;
  readonly #onEnd: () => void;
  #subscribers: Subscriber[] = [];
  /** Use cases that this app ran and an operator has removed: it does not make them anew (R9). */
  readonly #removed = new Set<string>();
  readonly #keepAlive = setInterval(() => {}, 2 ** 30);
  readonly declarations: Declarations;
  readonly trials: Trials;
  readonly administration: MemoryAdministration;
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
    this.administration = new MemoryAdministration(broker, () => this.#assertConnected());
  }

  /** Confirms in a turn of its own: a publisher that goes on at once would leave handlers no turn to run in. */
  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    if (this.#connected) this.#broker.publish(events);
    const error = this.#connected ? undefined : lost();
    const unconfirmed = error === undefined ? NONE : events.map((_, index) => ({ index, error }));
    return new Promise((resolve) => setImmediate(resolve, unconfirmed));
  }

  async subscribe(useCase: string, options: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription> {
    if (this.#removed.has(useCase)) throw unknown(useCase);
    const queue = this.#queue(useCase);
    const publish = (outputs: readonly EncodedEvent[]) => this.#broker.publish(outputs);
    const subscriber = new Subscriber(queue, options, this.#held, onDelivery, publish);
    queue.users.add(this.#onRemoved);
    // Those of before a pause have ended; one that still has something to settle is kept until it has.
    this.#subscribers = [...this.#subscribers.filter((each) => !each.isOver), subscriber];
    return subscriber;
  }

  deadLetters(useCase: string): DeadLetterStore {
    return deadLetterStore({
      stored: () => this.#queue(useCase).deadLetters,
      putBack: (event) => this.#queue(useCase).add(withRawHeaders(event)),
    });
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
    if (!connected) this.administration.end(lost());
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
        for (const declaration of declarations) {
          if (!this.#removed.has(declaration.name)) broker.declare(this.#options.appName, declaration, this.#onRemoved);
        }
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

  readonly #onRemoved = (queue: Queue): void => {
    const { useCase } = queue;
    this.#removed.add(useCase);
    for (const subscriber of this.#subscribers) {
      if (!subscriber.isOf(queue)) continue;
      void subscriber.stop();
      subscriber.giveBack(false);
    }
    const problem = `Use case "${useCase}" was removed by an operator; this app stops handling it. Restart the app to declare it anew.`;
    this.#options.logger.error({ useCase }, problem);
    this.#options.onProblem(`consuming "${useCase}"`, problem);
  };

  #end(crashed: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connected = false;
    clearInterval(this.#keepAlive);
    for (const queue of this.#broker.queues()) queue.users.delete(this.#onRemoved);
    this.administration.end(lost());
    for (const subscriber of this.#subscribers) {
      void subscriber.stop();
      subscriber.giveBack(crashed);
    }
    this.#onEnd();
  }

  #queue(useCase: string): Queue {
    this.#assertConnected();
    const queue = this.#broker.queue(useCase);
    if (queue === undefined) throw unknown(useCase);
    return queue;
  }

  #assertConnected(): void {
    if (!this.#connected) throw lost();
  }
}

function unknown(useCase: string): PapaError {
  return new PapaError("unknown-use-case", `No app has declared a use case "${useCase}" on this broker.`, { useCase });
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
