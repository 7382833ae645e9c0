import { randomUUID } from "node:crypto";
import { isPapaError } from "@papa-events/core";
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
import { conflict, isReply, papaErrorOf } from "./client/errors.ts";
import { Link } from "./client/link.ts";
import type { Target } from "./client/options.ts";
import { checkServer } from "./client/server-check.ts";
import { Subscriber } from "./consuming/subscriber.ts";
import { Letters } from "./dead-letters/dead-letters.ts";
import { BindingCache } from "./declarations/bindings.ts";
import { Inbox } from "./publishing/inbox.ts";
import { Publisher } from "./publishing/publisher.ts";
import { shownPatterns, withdraw } from "./scripts/bindings.ts";
import { declare } from "./scripts/declare.ts";
import type { Argument, Script } from "./scripts/script.ts";
import { GROUP, Keys } from "./wire/keys.ts";

/** One app's way to Redis. */
export class RedisStreamsConnection implements Connection {
  readonly capabilities;
  readonly #target: Target;
  readonly #options: ConnectOptions;
  readonly #keys: Keys;
  readonly #link: Link;
  readonly #bindings: BindingCache;
  readonly #publisher: Publisher;
  readonly #subscribers: Subscriber[] = [];
  /** Declared by this app, and so again when the connection is back: a failover may have lost it. */
  readonly #declared = new Map<string, UseCaseDeclaration>();
  #inbox: Promise<Inbox> | undefined;
  #closed = false;

  /** @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
  static async open(target: Target, options: ConnectOptions): Promise<RedisStreamsConnection> {
    let connection: RedisStreamsConnection | undefined;
    let checked = false;
    const link = await Link.open({
      target,
      connectionName: nameFor(options.appName),
      setUp: async (client) => {
        if (!checked) await checkServer(client, target, options.logger);
        checked = true;
        await connection?.resume();
      },
      onStatus: (connected, error) => {
        if (connected) connection?.returned();
        options.onStatus(connected ? { connected } : { connected, error });
      },
    });
    connection = new RedisStreamsConnection(target, options, link);
    return connection;
  }

  private constructor(target: Target, options: ConnectOptions, link: Link) {
    this.#target = target;
    this.#options = options;
    this.#link = link;
    this.#keys = new Keys(target.prefix);
    this.capabilities =
      target.durability === "replicated" ? ({ ...capabilities, durability: "replicas" } as const) : capabilities;
    const current = () => link;
    this.#bindings = new BindingCache(current, this.#keys);
    this.#publisher = new Publisher({
      link: current,
      keys: this.#keys,
      bindings: this.#bindings,
      durability: target.durability,
    });
  }

  async declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    await this.#declare(useCases);
    for (const useCase of useCases) this.#declared.set(useCase.name, useCase);
  }

  async declarations(useCase: string): Promise<readonly ShownPattern[]> {
    const reply = (await this.#run(shownPatterns, [this.#keys.bindings], [`${useCase} `])) as (string | number)[];
    const shown: ShownPattern[] = [];
    for (let at = 0; at + 1 < reply.length; at += 2)
      shown.push({ pattern: String(reply[at]), idle: Number(reply[at + 1]) });
    return shown;
  }

  async withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const fields = patterns.map((pattern) => `${useCase} ${pattern}`);
    await this.#run(withdraw, [this.#keys.version, this.#keys.bindings], [randomUUID(), idle, ...fields]);
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return this.#publisher.publish(events);
  }

  async subscribe(useCase: string, readAhead: number, onDelivery: OnDelivery): Promise<Subscription> {
    const { logger, appName } = this.#options;
    const subscriber = new Subscriber(readAhead, {
      useCase,
      target: this.#target,
      appName: nameFor(appName),
      keys: this.#keys.of(useCase),
      version: this.#keys.version,
      link: () => this.#link,
      bindings: this.#bindings,
      logger,
      onDelivery,
      redeclare: async () => {
        const declared = this.#declared.get(useCase);
        await this.#declare([declared ?? { name: useCase, patterns: [] }]);
      },
    });
    this.#subscribers.push(subscriber);
    this.#inbox ??= this.#openInbox();
    try {
      await Promise.all([subscriber.begin(), this.#inbox]);
    } catch (error) {
      throw this.#error(error);
    }
    return subscriber;
  }

  deadLetters(useCase: string): DeadLetterStore {
    return this.#letters(useCase);
  }

  inspect(useCase: string): Promise<QueueStats> {
    return this.#letters(useCase).stats();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const inbox = this.#inbox?.then((opened) => opened.close()).catch(() => {});
    await Promise.all([inbox, ...this.#subscribers.map((subscriber) => subscriber.close())]);
    this.#link.close();
  }

  /** @internal The connection is there again: what this app declares has to be there before anybody publishes. */
  async resume(): Promise<void> {
    if (this.#declared.size > 0) await this.#declare([...this.#declared.values()]);
  }

  /** @internal The connection serves again, maybe with a server that knows less: leases have been running on meanwhile. */
  returned(): void {
    for (const subscriber of this.#subscribers) subscriber.returned();
  }

  async #declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    if (useCases.length === 0) return;
    const keys = [this.#keys.version, this.#keys.bindings];
    const args: Argument[] = [randomUUID(), GROUP];
    for (const { name, patterns } of useCases) {
      const { queue, leases, due, waiting, dead, deadOrder } = this.#keys.of(name);
      keys.push(queue, leases, due, waiting, dead, deadOrder);
      args.push(name, patterns.length, ...patterns);
    }
    const [key, found, wanted] = (await this.#run(declare, keys, args)) as string[];
    if (key !== undefined) throw conflict(key, found ?? "", wanted ?? "");
  }

  #letters(useCase: string): Letters {
    return new Letters(useCase, this.#keys.of(useCase), () => this.#link);
  }

  #openInbox(): Promise<Inbox> {
    return Inbox.open({
      target: this.#target,
      appName: nameFor(this.#options.appName),
      keys: this.#keys,
      bindings: this.#bindings,
      link: () => this.#link,
      logger: this.#options.logger,
    });
  }

  async #run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#link.run(script, keys, args);
    } catch (error) {
      throw this.#error(error);
    }
  }

  #error(error: unknown): Error {
    return isReply(error) || isPapaError(error) ? papaErrorOf(error, this.#link.address) : this.#link.lost(error);
  }
}

/** The server refuses names of connections with spaces and line breaks. */
function nameFor(appName: string): string {
  return appName.replaceAll(/[^\x21-\x7e]/g, "-") || "papa-events";
}
