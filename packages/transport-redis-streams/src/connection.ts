import type { PapaError } from "@papa-events/core";
import type {
  Capabilities,
  Declarations,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  SubscribeOptions,
  Subscription,
  Trials,
  Unconfirmed,
} from "@papa-events/core/transport";
import type { Cluster, Redis } from "ioredis";
import { RedisAdministration } from "./administration/administration.ts";
import { capabilities } from "./capabilities.ts";
import { type Connections, openConnections } from "./client/connections.ts";
import { unknownUseCase } from "./client/errors.ts";
import type { Target } from "./client/options.ts";
import { checkServer } from "./client/server-check.ts";
import { HeldBytes } from "./consuming/held-bytes.ts";
import { LeaseRenewal } from "./consuming/lease-renewal.ts";
import { ReadAhead } from "./consuming/read-ahead.ts";
import { Subscriber } from "./consuming/subscriber.ts";
import { RedisTrials } from "./consuming/trials.ts";
import { DeadLetters } from "./dead-letters/dead-letters.ts";
import { BindingCache } from "./declarations/bindings.ts";
import { RedisDeclarations } from "./declarations/declarations.ts";
import { inspectUseCase } from "./declarations/inspection.ts";
import { DeclarationWatch } from "./declarations/watch.ts";
import { Inbox } from "./publishing/inbox.ts";
import { Publisher } from "./publishing/publisher.ts";
import { claimShards } from "./scripts/claim-shards.ts";
import type { ShardConnection, ShardConnectOptions } from "./sharding/shard.ts";
import type { Keys } from "./wire/keys.ts";

/** Connects one app to Redis: to a namespace, or to one shard of it. */
export class RedisStreamsConnection implements ShardConnection {
  readonly capabilities: Capabilities;
  readonly declarations: Declarations;
  readonly trials: Trials;
  readonly administration: RedisAdministration;
  readonly #target: Target;
  readonly #options: ShardConnectOptions;
  /** A name for the server's list of clients. */
  readonly #clientName: string;
  readonly #keys: Keys;
  readonly #connections: Connections;
  readonly #bindings: BindingCache;
  readonly #declarations: RedisDeclarations;
  readonly #watch: DeclarationWatch;
  readonly #publisher: Publisher;
  readonly #held: HeldBytes;
  readonly #renewal: LeaseRenewal;
  readonly #subscribers = new Set<Subscriber>();
  #inbox: Promise<Inbox> | undefined;
  #closed = false;

  /** @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(target: Target, options: ShardConnectOptions, keys: Keys): Promise<RedisStreamsConnection> {
    let opened: RedisStreamsConnection | undefined;
    // An operator looks at what is wrong with a server, too.
    let checked = options.operator === true;
    const connections = await openConnections(target, toClientName(options.appName), {
      setUp: async (client) => {
        if (!checked) await checkServer(client, target, options.logger);
        checked = true;
        if (opened === undefined) return;
        if (options.operator !== true) await opened.#checkAgain(client);
        // Before the connection is up again, so that nobody publishes to queues that a failover has lost.
        await opened.#declarations.redeclareAll();
      },
      onStatus: (connected, error) => {
        if (connected && opened !== undefined) opened.#onReconnect();
        options.onStatus(connected ? { connected } : { connected, error });
      },
      onControlStatus: (connected, error) => {
        if (connected && opened !== undefined) opened.#onControlReconnect();
        options.onProblem(
          "leases",
          connected ? undefined : (error?.message ?? "the connection that keeps them is lost"),
        );
      },
    });
    opened = new RedisStreamsConnection(target, options, keys, connections);
    return opened;
  }

  private constructor(target: Target, options: ShardConnectOptions, keys: Keys, connections: Connections) {
    const { durability } = target;
    const { main, control, publishing } = connections;
    const { appName, logger, onProblem } = options;
    this.#target = target;
    this.#options = options;
    this.#clientName = toClientName(options.appName);
    this.#connections = connections;
    this.#keys = keys;
    this.#declarations = new RedisDeclarations({
      connection: main,
      control,
      keys,
      appName,
      logger,
      onRemoved: (useCase) => this.#onRemoved(useCase),
    });
    this.#watch = new DeclarationWatch(this.#declarations, control, (problem) => onProblem("topology", problem));
    this.#watch.start();
    this.#bindings = new BindingCache(main, keys, () => this.#declarations.redeclareAll());
    this.#publisher = new Publisher({ connection: publishing, keys, bindings: this.#bindings, durability });
    this.#held = new HeldBytes(options.maxHeldBytes);
    this.#renewal = new LeaseRenewal({
      target,
      keys,
      control,
      logger,
      onProblem: (problem) => onProblem("renewing leases", problem),
    });
    this.capabilities = durability === "replicated" ? { ...capabilities, durability: "replicas" } : capabilities;
    this.declarations = this.#declarations;
    this.trials = new RedisTrials(main, keys);
    this.administration = new RedisAdministration({ target, keys, connection: main, appName: this.#clientName });
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return this.#publisher.publish(events);
  }

  async subscribe(
    useCase: string,
    subscribeOptions: SubscribeOptions,
    onDelivery: OnDelivery,
    shared = new ReadAhead(subscribeOptions.readAhead),
  ): Promise<Subscription> {
    if (this.#declarations.isRemoved(useCase)) throw unknownUseCase(useCase);
    const { main, control } = this.#connections;
    const { logger, onProblem } = this.#options;
    const subscriber = new Subscriber(subscribeOptions.declaration, {
      useCase,
      target: this.#target,
      appName: this.#clientName,
      keys: this.#keys.forUseCase(useCase),
      version: this.#keys.version,
      connection: main,
      control,
      renewal: this.#renewal,
      bindings: this.#bindings,
      held: this.#held,
      readAhead: shared,
      logger,
      onDelivery,
      onProblem,
      redeclare: () => this.#declarations.redeclare(useCase),
      onClosed: () => this.#subscribers.delete(subscriber),
    });
    this.#subscribers.add(subscriber);
    try {
      await main.withPapaErrors(Promise.all([subscriber.start(), this.#openInbox()]));
    } catch (error) {
      await subscriber.close();
      throw error;
    }
    return subscriber;
  }

  deadLetters(useCase: string, maxPageBytes?: number): DeadLetters {
    return new DeadLetters(useCase, this.#keys, this.#connections.main, maxPageBytes);
  }

  shareHeldBytes(shards: number): void {
    this.#held.limit(this.#options.maxHeldBytes / shards);
  }

  noteShards(shards: number): void {
    this.#declarations.noteShards(shards);
  }

  async countShards(): Promise<number> {
    const { main } = this.#connections;
    const { shards: key, bindings } = this.#keys;
    const { shards } = this.#target;
    if (shards !== undefined && this.#options.operator !== true)
      return Number(await main.withPapaErrors(main.run(claimShards, [key, bindings], [shards])));
    const stored = await main.withPapaErrors(main.client.get(key));
    if (stored !== null || shards === undefined || shards === 1) return Number(stored ?? 1);
    return (await main.withPapaErrors(main.client.hlen(bindings))) > 0 ? 1 : shards;
  }

  inspect(useCase: string): Promise<QueueStats> {
    return inspectUseCase(useCase, this.#keys, this.#connections.main);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    const inbox = this.#inbox?.then((opened) => opened.close()).catch(() => {});
    await Promise.all([
      inbox,
      this.administration.close(),
      ...[...this.#subscribers].map((subscriber) => subscriber.close()),
    ]);
    this.#renewal.close();
    await this.#publisher.close();
    for (const connection of Object.values(this.#connections)) connection.close();
  }

  /** Another server may have taken over, with settings of its own. An app that runs goes on and says so; a replica it leaves (L3, L6). */
  async #checkAgain(client: Redis | Cluster): Promise<void> {
    const { logger, onProblem } = this.#options;
    const found: PapaError[] = [];
    await checkServer(client, this.#target, logger, (error) => found.push(error));
    onProblem("settings", found[0]?.message);
    for (const err of found)
      logger.error({ err }, "The app is connected to a server again that it would not start with.");
  }

  /** The server may know less than before, and leases went on running meanwhile. */
  #onReconnect(): void {
    for (const subscriber of this.#subscribers) subscriber.onReconnect();
  }

  #onControlReconnect(): void {
    void this.#renewal.renew();
    for (const subscriber of this.#subscribers) subscriber.onControlReconnect();
  }

  /** Whoever runs a use case that an operator removes is told, since it handles nothing from then on (R9). */
  #onRemoved(useCase: string): void {
    const { logger, onProblem } = this.#options;
    const problem = `Use case "${useCase}" was removed by an operator; this app stops handling it. Restart the app to declare it anew.`;
    for (const subscriber of this.#subscribers) if (subscriber.useCase === useCase) void subscriber.onRemoved();
    if (this.#options.isFirstToTell?.(useCase) !== false) logger.error({ useCase }, problem);
    onProblem(`consuming "${useCase}"`, problem);
  }

  /** One that could not be opened is opened by whoever subscribes next. */
  #openInbox(): Promise<Inbox> {
    if (this.#inbox !== undefined) return this.#inbox;
    const opening = Inbox.open({
      target: this.#target,
      appName: this.#clientName,
      keys: this.#keys,
      bindings: this.#bindings,
      connection: this.#connections.main,
      control: this.#connections.control,
      logger: this.#options.logger,
      onProblem: this.#options.onProblem,
    });
    this.#inbox = opening;
    opening.catch(() => {
      if (this.#inbox === opening) this.#inbox = undefined;
    });
    return opening;
  }
}

/** The server refuses client names with spaces or line breaks. */
function toClientName(appName: string): string {
  return appName.replaceAll(/[^\x21-\x7e]/g, "-") || "papa-events";
}
