import type {
  Connection,
  ConnectOptions,
  DeadLetterStore,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  SubscribeOptions,
  Subscription,
  Trials,
  Unconfirmed,
} from "@papa-events/core/transport";
import { KafkaAdministration } from "./administration/administration.ts";
import { capabilities } from "./capabilities.ts";
import { Cluster } from "./client/cluster.ts";
import { papaErrorOf, unknownUseCase } from "./client/errors.ts";
import type { Target } from "./client/options.ts";
import { countOpen } from "./consuming/count-open.ts";
import { HeldBytes } from "./consuming/held-bytes.ts";
import type { SettlementStore } from "./consuming/settlement.ts";
import { Subscriber } from "./consuming/subscriber.ts";
import { KafkaTrials } from "./consuming/trials.ts";
import { DeadLetters } from "./dead-letters/dead-letters.ts";
import { Declarations } from "./declarations/declarations.ts";
import { Discovery } from "./declarations/discovery.ts";
import { EventTopics } from "./declarations/event-topics.ts";
import type { ExistingTopics } from "./declarations/existing-topics-option.ts";
import { Mappings } from "./declarations/mappings.ts";
import { Registry } from "./declarations/registry.ts";
import { Topology } from "./declarations/topology.ts";
import { Producer } from "./publishing/producer.ts";
import { Publisher } from "./publishing/publisher.ts";
import { Delays } from "./waiting/delays.ts";
import { Releaser } from "./waiting/releaser.ts";
import { WaitingCounts } from "./waiting/waiting-counts.ts";

/** Closing waits no longer for the cluster; what the cluster has not received by then is handled again. */
const CLOSE_LIMIT_MS = 5_000;
const WATCH_INTERVAL_MS = 1_000;

/** One app's connection to a cluster. */
export class KafkaConnection implements Connection {
  readonly capabilities = capabilities;
  readonly declarations: Declarations;
  readonly trials: Trials;
  readonly administration: KafkaAdministration;
  readonly #cluster: Cluster;
  readonly #topology: Topology;
  readonly #producer: Producer;
  readonly #publisher: Publisher;
  readonly #registry: Registry;
  readonly #discovery: Discovery;
  readonly #mappings: Mappings;
  readonly #releaser: Releaser;
  readonly #store: SettlementStore;
  #subscribers: Subscriber[] = [];
  readonly #held: HeldBytes;
  readonly #waiting: WaitingCounts;
  #watching: NodeJS.Timeout | undefined;
  readonly #deadLetters = new Map<string, DeadLetters>();
  /** Consumers of removed use cases that still end. */
  readonly #ending = new Set<Promise<void>>();
  #consuming = false;
  #closed = false;

  /** @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker`, `topology-conflict` */
  static async open(target: Target, existing: ExistingTopics, options: ConnectOptions): Promise<KafkaConnection> {
    const connection = new KafkaConnection(await Cluster.open(target, options), existing, options);
    try {
      // To an operator it is told by the diagnosis.
      if (options.operator !== true) await connection.#mappings.begin();
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  private constructor(
    cluster: Cluster,
    existing: ExistingTopics,
    { appName, maxHeldBytes, operator = false }: ConnectOptions,
  ) {
    const topics = new EventTopics(cluster.names, existing, operator);
    const topology = new Topology(cluster);
    const producer = new Producer(cluster, topology);
    this.#cluster = cluster;
    this.#topology = topology;
    this.#producer = producer;
    this.#publisher = new Publisher(cluster, topology, topics, producer);
    this.#registry = new Registry(cluster, topics, async (records) => {
      // All in one turn of the event loop, so that they go in one batch: readers see a use case before its patterns.
      const topic = topology.registry;
      const store = () => Promise.all(records.map((record) => producer.storeOne({ topic, partition: 0, record })));
      // Whoever leads a topic that another instance has just made may not know it yet.
      await cluster.retried(store);
    });
    this.#discovery = new Discovery(cluster, this.#registry, topology);
    this.#mappings = new Mappings(cluster, this.#registry);
    this.declarations = new Declarations({
      appName,
      cluster,
      topology,
      registry: this.#registry,
      discovery: this.#discovery,
      mappings: this.#mappings,
      onRemoved: (useCase) => this.#onRemoved(useCase),
    });
    this.#waiting = new WaitingCounts(cluster, topology, this.#registry);
    this.administration = new KafkaAdministration({
      cluster,
      topology,
      registry: this.#registry,
      waiting: this.#waiting,
    });
    this.trials = new KafkaTrials(cluster, this.#registry);
    this.#held = new HeldBytes(maxHeldBytes);
    this.#releaser = new Releaser({
      cluster,
      topology,
      publisher: this.#publisher,
      registry: this.#registry,
      maxBytes: maxHeldBytes / 4,
      maxBuffered: () => this.#maxBuffered,
    });
    const delays = new Delays(topology, producer);
    this.#store = {
      publish: (events, abandoned) => this.#publisher.publishUntil(events, abandoned),
      delay: (useCase, delay, event, abandoned) => delays.storeUntil(useCase, delay, event, abandoned),
      deadLetter: (useCase, id, event, abandoned) => this.#deadLettersOf(useCase).storeUntil(id, event, abandoned),
    };
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return this.#publisher.publish(events);
  }

  async subscribe(useCase: string, options: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription> {
    if (this.declarations.isRemoved(useCase)) throw unknownUseCase(useCase);
    const paused = this.#subscribers.find((each) => each.useCase === useCase);
    if (paused !== undefined) return paused.resume(options, onDelivery);
    const subscriber = new Subscriber(options, {
      useCase,
      cluster: this.#cluster,
      topology: this.#topology,
      registry: this.#registry,
      discovery: this.#discovery,
      store: this.#store,
      held: this.#held,
      maxBuffered: () => this.#maxBuffered,
    });
    this.#subscribers.push(subscriber);
    this.#startConsuming();
    return this.#mapErrors(async () => {
      try {
        return await subscriber.start(onDelivery);
      } catch (error) {
        this.#abandon(subscriber);
        throw error;
      }
    });
  }

  deadLetters(useCase: string): DeadLetterStore {
    return this.#deadLettersOf(useCase);
  }

  async inspect(useCase: string): Promise<QueueStats> {
    return this.#mapErrors(async () => {
      await this.#registry.refresh();
      if (!this.#registry.has(useCase)) throw unknownUseCase(useCase);
      const options = {
        cluster: this.#cluster,
        topology: this.#topology,
        registry: this.#registry,
        discovery: this.#discovery,
      };
      const [open, waiting, dead] = await Promise.all([
        countOpen(useCase, options),
        this.#waiting.of(useCase),
        this.#deadLettersOf(useCase).count(),
      ]);
      const own = this.#subscribers.filter((each) => each.useCase === useCase);
      const inFlight = own.reduce((sum, { unsettled }) => sum + unsettled, 0);
      return { ready: Math.max(open - inFlight, 0), inFlight, waiting, dead };
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#discovery.close();
    this.administration.close();
    clearInterval(this.#watching);
    const subscribers = this.#subscribers.map((each) => each.close(CLOSE_LIMIT_MS));
    await Promise.all([...subscribers, ...this.#ending, this.#releaser.close(CLOSE_LIMIT_MS)]);
    this.#cluster.close();
  }

  #onRemoved(useCase: string): void {
    const { logger } = this.#cluster;
    const problem = `Use case "${useCase}" was removed by an operator; this app stops handling it. Restart the app to declare it anew.`;
    for (const each of this.#subscribers) if (each.useCase === useCase) this.#abandon(each);
    logger.error({ useCase }, problem);
    this.#cluster.report(`consuming "${useCase}"`, problem);
  }

  #abandon(subscriber: Subscriber): void {
    this.#subscribers = this.#subscribers.filter((each) => each !== subscriber);
    const ending = subscriber.abandon(CLOSE_LIMIT_MS).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Starts what only a consuming app needs: releasing waiting events and discovering topics. */
  #startConsuming(): void {
    if (this.#consuming) return;
    this.#consuming = true;
    this.#releaser.start();
    this.#watching = setInterval(() => {
      for (const each of [...this.#subscribers, this.#releaser]) each.reportProblem();
    }, WATCH_INTERVAL_MS);
    this.#discovery.watch(
      () => this.#subscribers.map(({ useCase }) => useCase),
      () => {
        void this.declarations.restore();
        for (const each of [...this.#subscribers, this.#releaser]) each.check();
      },
    );
  }

  /** How many bytes one of the app's consumers may have fetched and not handed out: a quarter of what is held in all. */
  get #maxBuffered(): number {
    return this.#held.max / 4 / (this.#subscribers.length + 1);
  }

  #deadLettersOf(useCase: string): DeadLetters {
    let deadLetters = this.#deadLetters.get(useCase);
    if (deadLetters === undefined) {
      deadLetters = new DeadLetters({
        useCase,
        cluster: this.#cluster,
        topology: this.#topology,
        registry: this.#registry,
        producer: this.#producer,
        publisher: this.#publisher,
      });
      this.#deadLetters.set(useCase, deadLetters);
    }
    return deadLetters;
  }

  async #mapErrors<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw papaErrorOf(error, this.#cluster.address);
    }
  }
}
