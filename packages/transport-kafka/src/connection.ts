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
import { Cluster } from "./client/cluster.ts";
import { papaErrorOf, unknownUseCase } from "./client/errors.ts";
import type { Target } from "./client/options.ts";
import { Inspection } from "./consuming/inspection.ts";
import { Subscriber } from "./consuming/subscriber.ts";
import { Letters } from "./dead-letters/dead-letters.ts";
import { Declarations } from "./declarations/declarations.ts";
import { Discovery } from "./declarations/discovery.ts";
import { Registry } from "./declarations/registry.ts";
import { Topics } from "./declarations/topology.ts";
import { Producer } from "./publishing/producer.ts";
import { Storage } from "./publishing/publisher.ts";
import { Releaser } from "./waiting/releaser.ts";

/** How long closing may wait for the cluster: what it does not hear of is handled again. */
const CLOSING = 5_000;

/** One app's way to Kafka. */
export class KafkaConnection implements Connection {
  readonly capabilities = capabilities;
  readonly #cluster: Cluster;
  readonly #producer: Producer;
  readonly #storage: Storage;
  readonly #registry: Registry;
  readonly #discovery: Discovery;
  readonly #declarations: Declarations;
  readonly #inspection: Inspection;
  readonly #releaser: Releaser;
  readonly #subscribers: Subscriber[] = [];
  readonly #letters = new Map<string, Letters>();
  #consuming = false;
  #closed = false;

  /** @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(target: Target, options: ConnectOptions): Promise<KafkaConnection> {
    return new KafkaConnection(await Cluster.open(target, options));
  }

  private constructor(cluster: Cluster) {
    const topics = new Topics(cluster);
    this.#cluster = cluster;
    this.#producer = new Producer(cluster, topics);
    this.#storage = new Storage(cluster, topics, this.#producer);
    this.#registry = new Registry(cluster, topics, this.#producer);
    this.#discovery = new Discovery(cluster, this.#registry, topics);
    const parts = { cluster, topics, registry: this.#registry, discovery: this.#discovery, storage: this.#storage };
    this.#declarations = new Declarations(parts);
    this.#inspection = new Inspection(parts);
    this.#releaser = new Releaser(cluster, topics, this.#storage);
  }

  declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    return this.#declarations.declare(useCases);
  }

  async declarations(useCase: string): Promise<readonly ShownPattern[]> {
    await this.#telling(() => this.#registry.refresh());
    return this.#registry.patterns(useCase);
  }

  withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    return this.#declarations.withdraw(useCase, patterns, idle);
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return this.#storage.publish(events);
  }

  async subscribe(useCase: string, readAhead: number, onDelivery: OnDelivery): Promise<Subscription> {
    const subscriber = new Subscriber(readAhead, {
      useCase,
      cluster: this.#cluster,
      registry: this.#registry,
      discovery: this.#discovery,
      storage: this.#storage,
      onDelivery,
    });
    this.#subscribers.push(subscriber);
    this.#consume();
    await this.#telling(() => subscriber.start());
    return subscriber;
  }

  deadLetters(useCase: string): DeadLetterStore {
    let letters = this.#letters.get(useCase);
    if (letters === undefined) {
      letters = new Letters({
        useCase,
        cluster: this.#cluster,
        registry: this.#registry,
        producer: this.#producer,
        storage: this.#storage,
      });
      this.#letters.set(useCase, letters);
    }
    return letters;
  }

  async inspect(useCase: string): Promise<QueueStats> {
    return this.#telling(async () => {
      await this.#registry.refresh();
      if (!this.#registry.has(useCase)) throw unknownUseCase(useCase);
      const [open, waiting, dead] = await Promise.all([
        this.#inspection.open(useCase),
        this.#inspection.waiting(useCase),
        this.deadLetters(useCase).count(),
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
    await Promise.all([...this.#subscribers.map((each) => each.close(CLOSING)), this.#releaser.close(CLOSING)]);
    this.#cluster.close();
  }

  /** What only apps do that consume. */
  #consume(): void {
    if (this.#consuming) return;
    this.#consuming = true;
    this.#releaser.start();
    this.#discovery.watch(
      () => this.#subscribers.map(({ useCase }) => useCase),
      () => {
        for (const subscriber of this.#subscribers) subscriber.check();
      },
    );
  }

  async #telling<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw papaErrorOf(error, this.#cluster.address);
    }
  }
}
