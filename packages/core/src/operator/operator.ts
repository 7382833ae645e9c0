import type { NoCatalogue } from "../catalogue/types.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import { StoredDeadLetters } from "../dead-letters/stored-dead-letters.ts";
import { PapaError } from "../errors/papa-error.ts";
import { consoleLogger, type Logger } from "../logging/logger.ts";
import { assertKnownOptions, invalidOption } from "../options/check-options.ts";
import type { PublishOptions } from "../publishing/event-maker.ts";
import type { PublishableEvent } from "../publishing/output-event.ts";
import type { Published } from "../publishing/outstanding.ts";
import { assertPattern } from "../routing/pattern.ts";
import { assertUseCaseName } from "../routing/use-case-name.ts";
import type { Administration, Finding } from "../transport/administration.ts";
import { LazyConnection } from "../transport/lazy-connection.ts";
import { statsOf } from "../transport/stats-of.ts";
import type { Connection, Transport } from "../transport/transport.ts";
import { diagnoseUseCases, inOrder } from "./diagnose.ts";
import { mapLimited } from "./map-limited.ts";
import { OperatorPublisher } from "./publishing.ts";
import { HeldEvents, notAdministrable, type TailedEvent, type TailOptions, tailEvents } from "./tail.ts";
import { ABSENT_MS, type UseCaseInfo, type UseCaseStats, useCaseInfo } from "./use-case-info.ts";

/** How an {@link operator} connects. */
export interface OperatorOptions {
  /** How the broker's lists of clients and the events that it publishes name it; `"papa-events operator"` unless set. */
  readonly name?: string | undefined;
  /** Where it says what an app would log; the console unless set. */
  readonly logger?: Logger | undefined;
}

/** How a use case is removed. */
export interface RemoveOptions {
  /** What becomes of its dead letters; `"keep"` unless set: they can still be listed and purged, and redriven once it is declared anew. */
  readonly deadLetters?: "keep" | "purge" | undefined;
}

/**
 * Looks into a namespace and acts on it. Every call may reject with `connection-failed` or `access-refused`, and with
 * `unsupported-broker` where the transport has no administration.
 */
export interface Operator extends AsyncDisposable {
  /** Every use case that the namespace remembers, sorted by name, also where no instance runs. */
  useCases(): Promise<UseCaseInfo[]>;
  /** How many events the use cases hold. @throws PapaError `unknown-use-case` */
  stats(useCase?: string): Promise<Record<string, UseCaseStats>>;
  /** The dead letters of a use case. @throws PapaError `invalid-use-case` (at the call) */
  deadLetters(useCase: string): DeadLetters;
  /**
   * Has all instances stop handling a use case: within 5 s no handler is called for it any more; those that run end. Lasts
   * over restarts, until {@link resume}. Nothing is lost, and retries go on waiting. Idempotent.
   *
   * @throws PapaError `unknown-use-case`, `invalid-use-case`
   */
  pause(useCase: string): Promise<void>;
  /** Ends a pause; within 5 s its instances handle its events again. Idempotent. @throws PapaError `unknown-use-case`, `invalid-use-case` */
  resume(useCase: string): Promise<void>;
  /**
   * Removes a use case for good: its bindings, its declarations and the events that wait for it (R9). Instances that still
   * run it are told and handle it no more; one that starts later declares it anew.
   *
   * @throws PapaError `unknown-use-case`, `invalid-use-case`, `invalid-option`
   */
  remove(useCase: string, options?: RemoveOptions): Promise<void>;
  /**
   * Unbinds a pattern that no instance declares any more, such as one that another program has left behind.
   *
   * @throws PapaError `topology-conflict` where a live instance declares it; `unknown-use-case`, `invalid-pattern`
   */
  unbind(useCase: string, pattern: string): Promise<void>;
  /**
   * Shows events as they are published from now on. No use case notices, nothing is left behind. A reader that is too slow
   * misses some, and is told how many.
   *
   * @throws PapaError `invalid-pattern` (at the call); `connection-failed` when the connection is lost
   * @example for await (const event of ops.tail("user.#")) console.log(event.name, event.payload);
   */
  tail(patterns: string | readonly string[], options?: TailOptions): AsyncIterableIterator<TailedEvent>;
  /** Looks at all that can be seen and says what an operator may want to know or change, the gravest first. */
  diagnose(): Promise<Finding[]>;
  /** Publishes an event as an app would, and warns where no use case wants it. @throws PapaError as `PapaApp.newEvent` */
  publish(name: string, payload: unknown, options?: PublishOptions): Promise<Published>;
  /** Publishes many events with one wait. One that is invalid, and none is sent. @throws PapaError as `PapaApp.newEvents` */
  publishMany(events: readonly PublishableEvent<NoCatalogue>[]): Promise<Published[]>;
  /** Ends the connection; the next call would make another. */
  close(): Promise<void>;
}

/**
 * The operator's side of a namespace, with no app running. Connects at the first call, until `close()`.
 *
 * @throws PapaError `invalid-option`
 * @example
 * await using ops = operator(amqp(uri));
 * for (const { name, stats } of await ops.useCases()) console.log(name, stats.dead);
 */
export function operator(transport: Transport, options: OperatorOptions = {}): Operator {
  assertKnownOptions(options, ["name", "logger"], "operator");
  return new NamespaceOperator(transport, options);
}

class NamespaceOperator implements Operator {
  readonly #transport: Transport;
  readonly #connection: LazyConnection;
  readonly #publisher: OperatorPublisher;

  constructor(transport: Transport, { name = "papa-events operator", logger = consoleLogger }: OperatorOptions) {
    this.#transport = transport;
    this.#connection = new LazyConnection(transport, name, logger);
    this.#publisher = new OperatorPublisher(() => this.#connection.get(), name, logger);
  }

  async useCases(): Promise<UseCaseInfo[]> {
    const { connection, administration } = await this.#open("useCases");
    const [names, paused, declared] = await Promise.all([
      administration.useCases(),
      administration.paused(),
      connection.declarations.list(),
    ]);
    const now = Date.now();
    return mapLimited(names, async (name) => {
      // A broker that cannot list its namespace is asked for each use case.
      const records = declared?.filter(({ useCase }) => useCase === name) ?? (await connection.declarations.list(name));
      return useCaseInfo(name, records, paused.includes(name), await statsOf(connection, name), now);
    });
  }

  async stats(useCase?: string): Promise<Record<string, UseCaseStats>> {
    if (useCase !== undefined) assertUseCaseName(useCase);
    const { connection, administration } = await this.#open("stats");
    const [names, paused] = await Promise.all([administration.useCases(), administration.paused()]);
    if (useCase !== undefined && !names.includes(useCase)) throw unknownUseCase(useCase);
    const stats = await mapLimited(useCase === undefined ? names : [useCase], async (name) => {
      const counts = await statsOf(connection, name);
      return [name, { ...counts, paused: paused.includes(name) }] as const;
    });
    return Object.fromEntries(stats);
  }

  deadLetters(useCase: string): DeadLetters {
    assertUseCaseName(useCase);
    return new StoredDeadLetters(useCase, async () => (await this.#connection.get()).deadLetters(useCase));
  }

  async pause(useCase: string): Promise<void> {
    const administration = await this.#administrationOf("pause", useCase);
    await administration.pause(useCase);
  }

  async resume(useCase: string): Promise<void> {
    const administration = await this.#administrationOf("resume", useCase);
    await administration.resume(useCase);
  }

  async remove(useCase: string, options: RemoveOptions = {}): Promise<void> {
    assertUseCaseName(useCase);
    assertKnownOptions(options, ["deadLetters"], "remove");
    const { deadLetters = "keep" } = options;
    if (deadLetters !== "keep" && deadLetters !== "purge")
      throw invalidOption("remove: deadLetters", `${JSON.stringify(deadLetters)} is neither "keep" nor "purge"`);
    const { administration } = await this.#open("remove");
    if (!(await administration.remove(useCase, deadLetters))) throw unknownUseCase(useCase);
  }

  async unbind(useCase: string, pattern: string): Promise<void> {
    assertPattern(pattern);
    await this.#administrationOf("unbind", useCase);
    const { declarations } = await this.#connection.get();
    const records = await declarations.list(useCase);
    const owner = records.find(({ patterns, idle }) => patterns.includes(pattern) && idle < ABSENT_MS);
    if (owner !== undefined) throw stillDeclared(useCase, pattern, owner.app);
    await declarations.withdraw(useCase, [pattern], 0);
  }

  tail(patterns: string | readonly string[], options: TailOptions = {}): AsyncIterableIterator<TailedEvent> {
    assertKnownOptions(options, ["signal", "onStart"], "tail");
    const list = typeof patterns === "string" ? [patterns] : [...patterns];
    if (list.length === 0) throw invalidOption("tail: patterns", 'at least one is needed; "#" shows all events');
    for (const pattern of list) assertPattern(pattern);
    const held = new HeldEvents();
    const begin = async () => {
      const { administration } = await this.#open("tail");
      return administration.tail(list, {
        onEvent: (event) => held.add(event),
        onDropped: (count) => held.dropped(count),
        onEnd: (error) => held.end(error),
      });
    };
    return tailEvents(begin, held, options);
  }

  async diagnose(): Promise<Finding[]> {
    const { administration } = await this.#open("diagnose");
    const [found, useCases] = await Promise.all([administration.diagnose(), this.useCases()]);
    return inOrder([...found, ...diagnoseUseCases(useCases, Date.now())]);
  }

  publish(name: string, payload: unknown, options?: PublishOptions): Promise<Published> {
    return this.#publisher.publish(name, payload, options);
  }

  publishMany(events: readonly PublishableEvent<NoCatalogue>[]): Promise<Published[]> {
    return this.#publisher.publishMany(events);
  }

  async close(): Promise<void> {
    this.#publisher.close();
    await this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(
    operation: string,
  ): Promise<{ readonly connection: Connection; readonly administration: Administration }> {
    const connection = await this.#connection.get();
    const { administration } = connection;
    if (administration === undefined) throw notAdministrable(this.#transport.name, operation);
    return { connection, administration };
  }

  /** For what is done to one use case, which must exist: a misspelt name is no use case that is paused. */
  async #administrationOf(operation: string, useCase: string): Promise<Administration> {
    assertUseCaseName(useCase);
    const { administration } = await this.#open(operation);
    if (!(await administration.useCases()).includes(useCase)) throw unknownUseCase(useCase);
    return administration;
  }
}

function unknownUseCase(useCase: string): PapaError {
  return new PapaError("unknown-use-case", `The namespace knows no use case "${useCase}".`, { useCase });
}

function stillDeclared(useCase: string, pattern: string, app: string | undefined): PapaError {
  const owner = app === undefined ? "an instance" : `the app "${app}"`;
  const difference = `${owner} declares it; deploy it without the pattern, then it is unbound by itself`;
  const message = `"${pattern}" is not unbound from the use case "${useCase}": ${difference}.`;
  return new PapaError("topology-conflict", message, { object: `${useCase}: ${pattern}`, difference });
}
