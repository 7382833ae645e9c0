import type {
  Capabilities,
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
import type { Target } from "./client/options.ts";
import { ReconnectingConnection } from "./client/reconnecting-connection.ts";
import { checkServer } from "./client/server-check.ts";
import { Subscriber } from "./consuming/subscriber.ts";
import { DeadLetters } from "./dead-letters/dead-letters.ts";
import { BindingCache } from "./declarations/bindings.ts";
import { Declarations } from "./declarations/declarations.ts";
import { inspectUseCase } from "./declarations/inspection.ts";
import { Registry } from "./declarations/registry.ts";
import { Inbox } from "./publishing/inbox.ts";
import { Publisher } from "./publishing/publisher.ts";
import { Keys } from "./wire/keys.ts";

/** Connects one app to Redis. */
export class RedisStreamsConnection implements Connection {
  readonly capabilities: Capabilities;
  readonly #target: Target;
  readonly #options: ConnectOptions;
  /** A name for the server's list of clients. */
  readonly #appName: string;
  readonly #keys: Keys;
  readonly #connection: ReconnectingConnection;
  readonly #bindings: BindingCache;
  readonly #declarations: Declarations;
  readonly #registry: Registry;
  readonly #publisher: Publisher;
  readonly #subscribers: Subscriber[] = [];
  #inbox: Promise<Inbox> | undefined;
  #closed = false;

  /** @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(target: Target, options: ConnectOptions): Promise<RedisStreamsConnection> {
    let opened: RedisStreamsConnection | undefined;
    let checked = false;
    const connection = await ReconnectingConnection.open({
      target,
      connectionName: toClientName(options.appName),
      setUp: async (client) => {
        if (!checked) await checkServer(client, target, options.logger);
        checked = true;
        // Before the connection is up again, so that nobody publishes to queues that a failover has lost.
        if (opened !== undefined) await opened.#declarations.redeclareAll();
      },
      onStatus: (connected, error) => {
        if (connected && opened !== undefined) opened.#onReconnect();
        options.onStatus(connected ? { connected } : { connected, error });
      },
    });
    opened = new RedisStreamsConnection(target, options, connection);
    return opened;
  }

  private constructor(target: Target, options: ConnectOptions, connection: ReconnectingConnection) {
    const { durability, prefix } = target;
    this.#target = target;
    this.#options = options;
    this.#appName = toClientName(options.appName);
    this.#connection = connection;
    this.capabilities = durability === "replicated" ? { ...capabilities, durability: "replicas" } : capabilities;
    const keys = new Keys(prefix);
    this.#keys = keys;
    this.#declarations = new Declarations(connection, keys);
    this.#registry = new Registry(connection, keys);
    this.#bindings = new BindingCache(connection, keys);
    this.#publisher = new Publisher({ connection, keys, bindings: this.#bindings, durability });
  }

  declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    return this.#declarations.declare(useCases);
  }

  declarations(useCase: string): Promise<readonly ShownPattern[]> {
    return this.#registry.patterns(useCase);
  }

  withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    return this.#registry.unbindStale(useCase, patterns, idle);
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return this.#publisher.publish(events);
  }

  async subscribe(useCase: string, readAhead: number, onDelivery: OnDelivery): Promise<Subscription> {
    const subscriber = new Subscriber(readAhead, {
      useCase,
      target: this.#target,
      appName: this.#appName,
      keys: this.#keys.forUseCase(useCase),
      version: this.#keys.version,
      connection: this.#connection,
      bindings: this.#bindings,
      logger: this.#options.logger,
      onDelivery,
      redeclare: () => this.#declarations.redeclare(useCase),
    });
    this.#subscribers.push(subscriber);
    this.#inbox ??= this.#openInbox();
    await this.#connection.withPapaErrors(Promise.all([subscriber.start(), this.#inbox]));
    return subscriber;
  }

  deadLetters(useCase: string): DeadLetterStore {
    return new DeadLetters(useCase, this.#keys, this.#connection);
  }

  inspect(useCase: string): Promise<QueueStats> {
    return inspectUseCase(useCase, this.#keys, this.#connection);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const inbox = this.#inbox?.then((opened) => opened.close()).catch(() => {});
    await Promise.all([inbox, ...this.#subscribers.map((subscriber) => subscriber.close())]);
    this.#connection.close();
  }

  /** The server may know less than before, and leases went on running meanwhile. */
  #onReconnect(): void {
    for (const subscriber of this.#subscribers) subscriber.onReconnect();
  }

  #openInbox(): Promise<Inbox> {
    return Inbox.open({
      target: this.#target,
      appName: this.#appName,
      keys: this.#keys,
      bindings: this.#bindings,
      connection: this.#connection,
      logger: this.#options.logger,
    });
  }
}

/** The server refuses client names with spaces or line breaks. */
function toClientName(appName: string): string {
  return appName.replaceAll(/[^\x21-\x7e]/g, "-") || "papa-events";
}
