import type {
  Administration,
  Connection,
  ConnectOptions,
  DeadLetterStore,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  SubscribeOptions,
  Subscription,
  Unconfirmed,
} from "@papa-events/core/transport";
import { AmqpAdministration } from "./administration/administration.ts";
import { AmqpPauses } from "./administration/pauses.ts";
import { capabilities } from "./capabilities.ts";
import { Channels } from "./client/channels.ts";
import { Connections } from "./client/connections.ts";
import { isConnectionLost, unknownUseCase } from "./client/errors.ts";
import { Locks } from "./client/locks.ts";
import type { Target } from "./client/options.ts";
import { within } from "./client/time-limit.ts";
import { Settlements } from "./consuming/settlements.ts";
import { Subscriber } from "./consuming/subscriber.ts";
import { AmqpTrials } from "./consuming/trials.ts";
import { CopyPreparation } from "./dead-letters/copy-preparation.ts";
import { DeadLetterQueue, Underway } from "./dead-letters/dead-letter-queue.ts";
import { DeadLetters } from "./dead-letters/dead-letters.ts";
import { RecentDeadLetters } from "./dead-letters/recent-letters.ts";
import { Declarations } from "./declarations/declarations.ts";
import { EarlierRegistry } from "./declarations/earlier-registry.ts";
import { Registry } from "./declarations/registry.ts";
import type { DocumentAccess } from "./declarations/shared-document.ts";
import { Topology } from "./declarations/topology.ts";
import { Upkeep } from "./declarations/upkeep.ts";
import { Publisher } from "./publishing/publisher.ts";
import { QueuePublisher } from "./publishing/queue-publisher.ts";
import { Delays } from "./waiting/delays.ts";
import { RingRescue } from "./waiting/ring-rescue.ts";
import { deadLetterQueue, delayQueue, Names, recentQueue, retryQueue } from "./wire/names.ts";

/** How long closing waits for settlements that are being stored. A broker that is away redelivers by itself. */
const MAX_FLUSH_MS = 5_000;

/** A payload as large as is allowed unless an app sets another limit, with its headers. */
const MAX_EVENT_BYTES = 1_048_576 + 65_536;

/** Connects one app to RabbitMQ. */
export class AmqpConnection implements Connection {
  readonly capabilities = capabilities;
  readonly #connections: Connections;
  readonly #options: ConnectOptions;
  readonly #names: Names;
  readonly #channels: Channels;
  readonly #locks: Locks;
  readonly #topology: Topology;
  readonly #publisher: Publisher;
  readonly #queuePublisher: QueuePublisher;
  readonly #registry: Registry;
  readonly declarations: Declarations;
  readonly trials: AmqpTrials;
  readonly #pauses: AmqpPauses;
  readonly #administration: AmqpAdministration;
  readonly #upkeep: Upkeep;
  readonly #delays: Delays;
  readonly #settlements: Settlements;
  readonly #ringRescue: RingRescue;
  readonly #recentDeadLetters: RecentDeadLetters;
  readonly #copyPreparation: CopyPreparation;
  #subscribers: Subscriber[] = [];
  readonly #lookingAtDeadLetters = new Underway();
  #closed = false;

  /** @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(target: Target, options: ConnectOptions): Promise<AmqpConnection> {
    let connection: AmqpConnection | undefined;
    const connections = await Connections.open(target, options, async () => connection?.resume());
    connection = new AmqpConnection(target, connections, options);
    return connection;
  }

  private constructor(target: Target, connections: Connections, options: ConnectOptions) {
    const { consuming, publishing } = connections;
    this.#connections = connections;
    this.#options = options;
    this.#names = new Names(target.prefix);
    this.#channels = new Channels(consuming);
    this.#locks = new Locks(this.#channels);
    this.#topology = new Topology(this.#names, this.#channels);
    this.#queuePublisher = new QueuePublisher(publishing);
    const retryOnReconnect = <T>(action: () => Promise<T>) => connections.retryOnReconnect(action);
    const documents: DocumentAccess = {
      channels: this.#channels,
      locks: this.#locks,
      publisher: this.#queuePublisher,
      declareQueue: (queue) => this.#topology.declareDocumentQueue(queue),
    };
    this.#registry = new Registry(this.#names, documents);
    this.declarations = new Declarations({
      appName: options.appName,
      logger: options.logger,
      topology: this.#topology,
      registry: this.#registry,
      earlierRegistry: new EarlierRegistry(this.#names, this.#channels, this.#locks),
      retryOnReconnect,
      onRemoved: (useCase) => this.#onRemoved(useCase),
    });
    this.#publisher = new Publisher(publishing, {
      exchange: this.declarations.exchange,
      cloudEvents: target.cloudEvents,
      queuePublisher: this.#queuePublisher,
      queuesFor: async (eventName) =>
        (await this.declarations.useCasesFor(eventName)).map((useCase) => this.#names.queue(useCase)),
    });
    this.#upkeep = new Upkeep({
      declared: () => this.declarations.own,
      topology: this.#topology,
      exchange: this.declarations.exchange,
      redeclare: (useCase) => this.declarations.redeclare(useCase),
      reachable: () => consuming.connected && publishing.blocked === undefined,
      logger: options.logger,
    });
    this.trials = new AmqpTrials(this.#names, documents, retryOnReconnect);
    this.#pauses = new AmqpPauses(this.#names, documents, options.operator !== true);
    this.#administration = new AmqpAdministration({
      names: this.#names,
      channels: this.#channels,
      topology: this.#topology,
      registry: this.#registry,
      trials: this.trials,
      pauses: this.#pauses,
      connection: publishing,
      exchange: this.declarations.exchange,
      retryOnReconnect,
      deadLetterQueue: (useCase) => this.#deadLetterQueue(this.#names.queue(useCase)),
    });
    this.#recentDeadLetters = new RecentDeadLetters({
      channels: this.#channels,
      publisher: this.#queuePublisher,
      declare: ({ recent }) => this.#topology.declareRecent(recent.replace(/:recent$/, "")),
    });
    this.#copyPreparation = new CopyPreparation({
      queues: () => [...this.declarations.own.keys()].map((each) => this.#deadLetterQueue(this.#names.queue(each))),
      logger: options.logger,
    });
    this.#ringRescue = new RingRescue({
      names: this.#names,
      channels: this.#channels,
      publisher: this.#queuePublisher,
      logger: options.logger,
    });
    this.#delays = new Delays({
      names: this.#names,
      topology: this.#topology,
      locks: this.#locks,
      registry: this.#registry,
      logger: options.logger,
    });
    this.#settlements = new Settlements({
      names: this.#names,
      delays: this.#delays,
      connection: publishing,
      publisher: this.#publisher,
      queuePublisher: this.#queuePublisher,
      redeclare: (useCase) => this.declarations.redeclare(useCase),
      onDead: (queue, message) =>
        this.#recentDeadLetters.add({ dead: deadLetterQueue(queue), recent: recentQueue(queue) }, message),
    });
  }

  get administration(): Administration {
    return this.#administration;
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return this.#publisher.publish(events);
  }

  async subscribe(useCase: string, { readAhead }: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription> {
    if (await this.declarations.wasRemoved(useCase)) throw unknownUseCase(useCase);
    const { consuming } = this.#connections;
    const { maxHeldBytes } = this.#options;
    const queue = this.#names.queue(useCase);
    this.#closeFinished();
    const subscriber = new Subscriber(readAhead, {
      useCase,
      connection: consuming,
      logger: this.#options.logger,
      settlements: this.#settlements,
      onDelivery,
      origin: () => ({
        queue,
        fallbackName: this.declarations.fallbackName(useCase),
        widened: this.declarations.isWidened(useCase),
        majorVersion: consuming.majorVersion,
      }),
      accepts: (name) => this.declarations.accepts(useCase, name),
      redeclare: () => this.declarations.redeclare(useCase),
      wasRemoved: () => this.declarations.wasRemoved(useCase),
      onProblem: (problem) => this.#options.onProblem(`consuming "${useCase}"`, problem),
      initialPrefetch: Math.max(1, Math.floor(maxHeldBytes / MAX_EVENT_BYTES / this.declarations.size)),
    });
    await subscriber.start();
    this.#subscribers.push(subscriber);
    this.#ringRescue.start();
    this.#copyPreparation.start();
    return subscriber;
  }

  deadLetters(useCase: string): DeadLetterStore {
    const queue = this.#names.queue(useCase);
    return new DeadLetters({
      useCase,
      origin: { queue },
      queue: this.#deadLetterQueue(queue),
      queuePublisher: this.#queuePublisher,
      fallbackName: () => this.declarations.recordedFallbackName(useCase),
      redeclare: () => this.declarations.redeclare(useCase),
      retryOnReconnect: (action) => this.#connections.retryOnReconnect(action),
    });
  }

  #deadLetterQueue(queue: string): DeadLetterQueue {
    return new DeadLetterQueue({
      queue: deadLetterQueue(queue),
      recentQueue: recentQueue(queue),
      recent: this.#recentDeadLetters,
      channels: this.#channels,
      locks: this.#locks,
      publisher: this.#queuePublisher,
      logger: this.#options.logger,
      underway: this.#lookingAtDeadLetters,
    });
  }

  inspect(useCase: string): Promise<QueueStats> {
    return this.#connections.retryOnReconnect(() => this.#inspect(useCase));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#upkeep.stop();
    const flushed = Promise.all([
      ...this.#subscribers.map((each) => each.close()),
      this.#registry.idle(),
      this.#pauses.idle(),
      this.#ringRescue.stop(),
      this.#copyPreparation.stop(),
      this.#recentDeadLetters.flush(),
      this.trials.idle(),
      this.#lookingAtDeadLetters.idle(),
    ]);
    await within(flushed, MAX_FLUSH_MS, "the broker does not answer").catch(() => {});
    this.#administration.end(this.#connections.consuming.lost());
    await this.#connections.close();
  }

  /** Declares and consumes again after a reconnect. One use case that fails does not keep the others from going on. */
  async resume(): Promise<void> {
    const failed = new Set<string>();
    await this.declarations.redeclareAll((useCase, error) => {
      failed.add(useCase);
      if (!isConnectionLost(error))
        this.#options.logger.warn(
          { err: error, useCase },
          "A use case could not be declared again; another try follows.",
        );
    });
    for (const subscriber of this.#subscribers) subscriber.resume(!failed.has(subscriber.useCase));
  }

  /** Subscriptions that were stopped keep their channel until all is settled that they handed out. */
  #closeFinished(): void {
    const finished = this.#subscribers.filter((each) => each.finished);
    this.#subscribers = this.#subscribers.filter((each) => !each.finished);
    for (const each of finished) void each.close();
  }

  #onRemoved(useCase: string): void {
    const problem = `The use case "${useCase}" was removed by an operator; this app stops handling it. Restart the app to declare it anew.`;
    this.#options.logger.error({ useCase }, problem);
    this.#options.onProblem(`consuming "${useCase}"`, problem);
    for (const each of this.#subscribers) if (each.useCase === useCase) void each.stop();
  }

  async #inspect(useCase: string): Promise<QueueStats> {
    const queue = this.#names.queue(useCase);
    const ready = await this.#channels.queueSize(queue);
    if (ready === undefined) throw unknownUseCase(useCase);
    const steps = new Set([...(await this.#registry.delays(useCase)), ...this.#delays.known(useCase)]);
    const waitingQueues = [retryQueue(queue), ...[...steps].map((step) => delayQueue(queue, step))];
    const [dead = 0, ...waiting] = await Promise.all([
      this.#deadLetterQueue(queue).count(),
      ...waitingQueues.map(async (each) => (await this.#channels.queueSize(each)) ?? 0),
    ]);
    // AMQP counts only what is ready. Of what is handed out, only this app's own deliveries are known.
    const own = this.#subscribers.filter((each) => each.useCase === useCase);
    const inFlight = own.reduce((sum, { unsettled }) => sum + unsettled, 0);
    return { ready, inFlight, waiting: waiting.reduce((sum, each) => sum + each, 0), dead };
  }
}
