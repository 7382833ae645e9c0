import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { CheckedPatterns, Patterns } from "../catalogue/matching.ts";
import type { Catalogue, NameIn, NoCatalogue, PayloadIn } from "../catalogue/types.ts";
import { currentEvent } from "../context/current-event.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import { StoredDeadLetters } from "../dead-letters/stored-dead-letters.ts";
import { isPapaError, PapaError } from "../errors/papa-error.ts";
import type { HandlerFor } from "../handler/handler.ts";
import { DeliveryContext } from "../handling/delivery-context.ts";
import { invalidOption } from "../options/check-options.ts";
import type { PublishOptions } from "../publishing/event-maker.ts";
import type { PublishableEvent } from "../publishing/output-event.ts";
import type { Published } from "../publishing/outstanding.ts";
import { assertUseCaseName } from "../routing/use-case-name.ts";
import { patiently } from "../transport/connect.ts";
import { statsOf } from "../transport/stats-of.ts";
import { useCasesOfClass } from "../use-cases/class-use-cases.ts";
import { fromOnEvent } from "../use-cases/definition.ts";
import { makeUseCase, UseCase } from "../use-cases/use-case.ts";
import type { OnEventOptions } from "../use-cases/use-case-options.ts";
import { type AppSettings, appSettings, type PapaAppOptions } from "./app-options.ts";
import type { AppState, Health, UseCaseCounts } from "./health.ts";
import { runUntilSignal } from "./run.ts";
import { RunningApp } from "./running-app.ts";

/**
 * A service that handles and publishes events. Declare use cases, `start()`, publish, `stop()`.
 *
 * @typeParam C the catalogue given as `events`, if any
 */
export class PapaApp<const C extends Catalogue | NoCatalogue = NoCatalogue> {
  readonly #settings: AppSettings;
  readonly #useCases = new Map<string, UseCase>();
  #state: AppState = "new";
  #running: RunningApp | undefined;
  /** The start or stop under way. */
  #transition: Promise<void> = Promise.resolve();
  /** Aborted by a stop while `start()` waits for the broker; each start has its own. */
  #waiting = new AbortController();
  #onStopped: () => void = () => {};
  readonly #stopped = new Promise<void>((resolve) => {
    this.#onStopped = resolve;
  });

  /** @throws PapaError `invalid-option` */
  constructor(options: PapaAppOptions<C>) {
    this.#settings = appSettings(options);
  }

  /**
   * Declares a use case: on events that match, call this handler. The same as `use(useCase(...))`.
   *
   * @throws PapaError `duplicate-use-case`, `invalid-use-case`, `invalid-pattern`, `invalid-option`, `already-started`, `stopped`
   * @example app.onEvent("user.*", { useCase: "user_log", retries: 3 }, async (user, ctx) => log(ctx.eventName, user));
   */
  onEvent<const P extends Patterns, S extends StandardSchemaV1 | undefined = undefined>(
    patterns: S extends undefined ? CheckedPatterns<C, P> : P,
    options: OnEventOptions<S>,
    handler: NoInfer<HandlerFor<C, P, S>>,
  ): this {
    const [name, useCaseOptions] = fromOnEvent("onEvent", patterns, options);
    return this.use(makeUseCase(name, useCaseOptions, handler, undefined));
  }

  /**
   * Adds use cases, all of them or, where one is refused, none.
   *
   * @throws PapaError `duplicate-use-case`, `invalid-option`, `already-started`, `stopped`
   */
  use(...useCases: readonly (UseCase | readonly UseCase[])[]): this {
    this.#assertNew("adding a use case");
    // All or none: a caller that catches the error must not be left with half of a list.
    const added = new Map<string, UseCase>();
    for (const useCase of useCases.flat()) {
      if (!(useCase instanceof UseCase))
        throw invalidOption("use", "a use case made by useCase(...) is needed, or a list of them");
      const { name } = useCase;
      if (this.#useCases.has(name) || added.has(name)) {
        throw new PapaError(
          "duplicate-use-case",
          `This app has a use case "${name}" already; a use case has one handler, on one or several patterns.`,
          { useCase: name },
        );
      }
      added.set(name, useCase);
    }
    for (const [name, useCase] of added) this.#useCases.set(name, useCase);
    return this;
  }

  /**
   * Adds the use cases that classes declare by `@onEvent` of `@papa-events/core/decorators`.
   *
   * @throws PapaError as {@link use}
   */
  register(...classes: readonly (abstract new (...args: never) => unknown)[]): this {
    return this.use(...classes.map((each) => useCasesOfClass(each)));
  }

  /**
   * Connects, declares the topology, begins to consume (L1). When it has resolved, every event that matches a
   * pattern of this app reaches its use case, whoever publishes it (R1). After a failure it can be called again.
   *
   * @throws PapaError `already-started`, `stopped`, `connection-failed`, `access-refused`, `unsupported-broker`,
   * `topology-conflict`, `transport-not-installed`, `invalid-option` for what is known only now, such as a class that its
   * container cannot make
   */
  async start(): Promise<void> {
    this.#assertNew("start");
    this.#state = "starting";
    this.#waiting = new AbortController();
    const starting = this.#start();
    this.#transition = starting.catch(() => {});
    await starting;
  }

  async #start(): Promise<void> {
    try {
      const definitions = [...this.#useCases.values()].map(({ definition }) => definition);
      const { waitForBroker, logger } = this.#settings;
      const start = () =>
        RunningApp.start(this.#settings, definitions, (app) => {
          this.#running = app;
        });
      await patiently(start, { waitForBroker, signal: this.#waiting.signal, logger });
      this.#state = "running";
    } catch (error) {
      this.#running = undefined;
      this.#state = "new";
      throw error;
    }
  }

  /**
   * Takes no new deliveries, lets running handlers finish for `drainTimeout`, stores what became of their events,
   * closes (L2). Ends at most 2 s after `drainTimeout`, also when the broker does not answer. Calling it twice, or before
   * `start()`, just resolves. A `start()` that still waits for its broker fails.
   *
   * Called by a handler of this app it does not wait for that handler: it resolves when the others have ended, and the
   * app closes when the handler has.
   */
  async stop(): Promise<void> {
    if (this.#state === "starting") {
      this.#waiting.abort();
      // A start that fails reports to its own caller.
      await this.#transition;
    }
    const running = this.#running;
    if (this.#state === "running") {
      this.#state = "stopping";
      this.#transition = this.#stop();
    }
    const caller = running && callerIn(running);
    if (running === undefined || caller === undefined) {
      await this.#transition;
      return;
    }
    const goesOn = caller.occupiesWorker ? running.running.waitsForStop() : undefined;
    await Promise.race([running.othersEnded, this.#transition]);
    goesOn?.();
  }

  async #stop(): Promise<void> {
    try {
      await this.#running?.stop();
    } finally {
      this.#running = undefined;
      this.#state = "stopped";
      this.#onStopped();
    }
  }

  /** As {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Starts, and stops at the first SIGINT or SIGTERM; resolves when the app has stopped, also where `stop()` was called
   * elsewhere. A second signal ends the process at once.
   *
   * @throws PapaError as {@link start}
   */
  async run(): Promise<void> {
    await runUntilSignal(this, this.#stopped);
  }

  /**
   * Publishes an event. Resolves when the broker has taken responsibility for it (P1). Waits while the connection
   * is down (P2) or too much is in flight (P3). The payload is serialised at the call.
   *
   * @throws PapaError `not-started`, `stopped`, `invalid-event-name`, `unknown-event`, `payload-not-json`,
   * `payload-too-large`, `invalid-payload`, `invalid-headers`, `headers-too-large`, `invalid-option`, `publish-timeout`;
   * with `unwanted: "refuse"` also `unwanted-event`; and what the broker refuses the event with, such as `access-refused`
   */
  newEvent<N extends NameIn<C>>(
    name: N,
    payload: NoInfer<PayloadIn<C, N>>,
    options?: PublishOptions,
  ): Promise<Published> {
    // Not async: that would cost every publish two more promises.
    try {
      const { maker, publisher } = this.#runningFor("newEvent");
      const made = maker.make(name, payload, options);
      return made instanceof Promise ? made.then((event) => publisher.publish(event)) : publisher.publish(made);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Publishes many events with one wait. One invalid event and none is sent.
   *
   * @throws PapaError as {@link newEvent}; `publish-incomplete` when the broker confirmed only some
   */
  async newEvents(events: readonly PublishableEvent<C>[]): Promise<Published[]> {
    const { maker, publisher } = this.#runningFor("newEvents");
    const made = maker.makeAll(events);
    return publisher.publishAll(made instanceof Promise ? await made : made);
  }

  /** Gives the dead letters of a use case, of this app or another. @throws PapaError `invalid-use-case` */
  deadLetters(useCase: string): DeadLetters {
    assertUseCaseName(useCase);
    const store = async () => this.#runningFor("deadLetters").connection.deadLetters(useCase);
    const explain = (error: unknown) => this.#explained("deadLetters", error);
    return new StoredDeadLetters(useCase, store, { explain });
  }

  /**
   * Counts the events that each use case of this app holds on the broker, all instances together, and says of those that
   * an operator has paused that they are.
   *
   * @throws PapaError `not-started`, `stopped`, `connection-failed`
   */
  async stats(): Promise<Record<string, UseCaseCounts>> {
    const { connection, pauses } = this.#runningFor("stats");
    const names = [...this.#useCases.keys()];
    try {
      const stats = await Promise.all(
        names.map(async (name) => {
          const counts = await statsOf(connection, name);
          return [name, pauses.paused.includes(name) ? { ...counts, paused: true } : counts] as const;
        }),
      );
      return Object.fromEntries(stats);
    } catch (error) {
      throw this.#explained("stats", error);
    }
  }

  /** Says how the app is, at once and without asking the broker: for a readiness probe. */
  health(): Health {
    const running = this.#running;
    const connected = running?.connected ?? false;
    const reasons = running?.problems.reasons ?? [];
    return {
      state: this.#state,
      healthy: this.#state === "running" && connected && reasons.length === 0,
      connected,
      transport: this.#settings.transport.name,
      reasons,
      paused: running?.pauses.paused ?? [],
    };
  }

  /** What a call failed with: that the connection was lost says nothing where the app has closed it. */
  #explained(operation: string, error: unknown): unknown {
    const open = this.#running?.closing === false;
    return open || !isPapaError(error, "connection-failed") ? error : stopped(operation, error);
  }

  #assertNew(operation: string): void {
    if (this.#state === "new") return;
    if (this.#state === "stopped") throw stopped(operation);
    const problem =
      operation === "start" ? "start() has been called before" : `${operation} has to come before start()`;
    throw new PapaError("already-started", `${problem}; the app is ${this.#state}.`, { state: this.#state });
  }

  /** What runs; handlers that are drained may still publish, and those that are called before `start()` has resolved. */
  #runningFor(operation: string): RunningApp {
    const running = this.#running;
    const starting = this.#state === "starting" && (running === undefined || callerIn(running) === undefined);
    if (!starting && running?.closing === false) return running;
    if (!starting && (running !== undefined || this.#state === "stopped")) throw stopped(operation);
    throw new PapaError("not-started", `${operation} needs a running app; await app.start() first.`, { operation });
  }
}

/** The delivery in whose handler or listener this is called, as long as it is not over. */
function callerIn(app: RunningApp): DeliveryContext | undefined {
  const caller = currentEvent();
  return caller instanceof DeliveryContext && caller.app === app && caller.stage !== "over" ? caller : undefined;
}

function stopped(operation: string, cause?: unknown): PapaError {
  const message = `${operation} came after stop(); make a new PapaApp to start again.`;
  return new PapaError("stopped", message, { operation }, { cause });
}
