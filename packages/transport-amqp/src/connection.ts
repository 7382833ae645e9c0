import type {
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
import { capabilities } from "./capabilities.ts";
import { Broker } from "./client/connections.ts";
import { unknownUseCase } from "./client/errors.ts";
import type { Target } from "./client/options.ts";
import { within } from "./client/time-limit.ts";
import { Storage } from "./consuming/settlements.ts";
import { Subscriber } from "./consuming/subscriber.ts";
import { LetterQueue } from "./dead-letters/dead-letter-queue.ts";
import { Letters } from "./dead-letters/dead-letters.ts";
import { Declarations } from "./declarations/declarations.ts";
import { deadQueue, delayQueue, retryQueue } from "./wire/names.ts";

/** How long closing may wait for settlements that are being stored: a broker that is away redelivers by itself. */
const CLOSING = 5_000;

/** One app's way to RabbitMQ. */
export class AmqpConnection implements Connection {
  readonly capabilities = capabilities;
  readonly #broker: Broker;
  readonly #options: ConnectOptions;
  readonly #storage: Storage;
  readonly #declarations: Declarations;
  readonly #subscribers: Subscriber[] = [];
  #closed = false;

  /** @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(target: Target, options: ConnectOptions): Promise<AmqpConnection> {
    let connection: AmqpConnection | undefined;
    const broker = await Broker.open(target, options, async () => connection?.resume());
    connection = new AmqpConnection(broker, options);
    return connection;
  }

  private constructor(broker: Broker, options: ConnectOptions) {
    this.#broker = broker;
    this.#options = options;
    this.#storage = new Storage({
      names: broker.names,
      topology: broker.topology,
      delays: broker.delays,
      link: () => broker.publishing,
      outputs: broker.events,
      moves: broker.moves,
    });
    this.#declarations = new Declarations(broker);
  }

  declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    return this.#broker.steadily(() => this.#declarations.declare(useCases));
  }

  declarations(useCase: string): Promise<readonly ShownPattern[]> {
    return this.#broker.steadily(() => this.#broker.registry.patterns(useCase));
  }

  withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    return this.#declarations.withdraw(useCase, patterns, idle);
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return this.#broker.events.publish(events);
  }

  async subscribe(useCase: string, readAhead: number, onDelivery: OnDelivery): Promise<Subscription> {
    const { names, consuming } = this.#broker;
    const subscriber = new Subscriber(readAhead, {
      useCase,
      link: () => this.#broker.consuming,
      logger: this.#options.logger,
      storage: this.#storage,
      onDelivery,
      origin: () => ({
        exchange: names.exchange,
        queue: names.queue(useCase),
        fallbackName: this.#declarations.fallbackName(useCase),
        major: consuming.major,
      }),
      wantsOwnName: () => this.#declarations.wants(useCase, names.queue(useCase)),
      redeclare: () => this.#declarations.redeclare(useCase),
    });
    await subscriber.begin();
    this.#subscribers.push(subscriber);
    return subscriber;
  }

  deadLetters(useCase: string): DeadLetterStore {
    const { names, topology, locks, moves, consuming } = this.#broker;
    const queue = names.queue(useCase);
    return new Letters({
      useCase,
      origin: { exchange: names.exchange, queue, major: consuming.major },
      letters: new LetterQueue(deadQueue(queue), topology, moves, this.#options.logger),
      topology,
      locks,
      fallbackName: () => this.#declarations.storedFallbackName(useCase),
      steadily: (action) => this.#broker.steadily(action),
      putBack: (event) => this.#storage.revived(useCase, event),
    });
  }

  inspect(useCase: string): Promise<QueueStats> {
    return this.#broker.steadily(() => this.#inspect(useCase));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const flushed = Promise.all(this.#subscribers.map((each) => each.close()));
    await within(flushed, CLOSING, "the broker does not answer").catch(() => {});
    await this.#broker.close();
  }

  /** Declares and consumes again on a new connection. */
  async resume(): Promise<void> {
    await this.#declarations.redeclareAll();
    await Promise.all(this.#subscribers.map((each) => each.begin()));
  }

  async #inspect(useCase: string): Promise<QueueStats> {
    const { names, topology, registry, delays } = this.#broker;
    const queue = names.queue(useCase);
    const ready = await topology.size(queue);
    if (ready === undefined) throw unknownUseCase(useCase);
    const steps = new Set([...(await registry.delays(useCase)), ...delays.known(useCase)]);
    const waiting = [retryQueue(queue), ...[...steps].map((step) => delayQueue(queue, step))];
    const sizes = await Promise.all(
      [deadQueue(queue), ...waiting].map(async (each) => (await topology.size(each)) ?? 0),
    );
    const [dead = 0, ...waits] = sizes;
    // AMQP tells what is ready; of what is handed out only this app's own is known.
    const own = this.#subscribers.filter((each) => each.useCase === useCase);
    const inFlight = own.reduce((sum, { unsettled }) => sum + unsettled, 0);
    return { ready, inFlight, waiting: waits.reduce((sum, each) => sum + each, 0), dead };
  }
}
