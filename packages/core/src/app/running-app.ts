import { declarationOf } from "../declarations/declaration-id.ts";
import { DeclarationKeeper } from "../declarations/declaration-keeper.ts";
import { Verdicts } from "../declarations/verdict.ts";
import { PapaError } from "../errors/papa-error.ts";
import { withSchema } from "../handler/with-schema.ts";
import { composeWraps } from "../handler/wraps.ts";
import { HeldBytes } from "../handling/held-bytes.ts";
import { Quarantine } from "../handling/quarantine.ts";
import { RunningHandlers } from "../handling/running-handlers.ts";
import { Settler } from "../handling/settler.ts";
import { WorkerPool } from "../handling/worker-pool.ts";
import { EventMaker } from "../publishing/event-maker.ts";
import { Publisher } from "../publishing/publisher.ts";
import { UnwantedEvents } from "../publishing/unwanted-events.ts";
import { FailurePolicy } from "../retry/failure-policy.ts";
import { type Clock, systemClock } from "../transport/clock.ts";
import { connect } from "../transport/connect.ts";
import type { Connection, ConnectionStatus } from "../transport/transport.ts";
import { boundHandler } from "../use-cases/container-handler.ts";
import type { UseCaseDefinition } from "../use-cases/definition.ts";
import type { AppSettings } from "./app-options.ts";
import { Problems } from "./health.ts";
import { Pauses } from "./pauses.ts";

/** How long a stop goes on after the drain timeout, also when the broker does not answer (L2): less than 2 s in all. */
const TAKE_BACK_LIMIT_MS = 500;
const CLOSE_LIMIT_MS = 1_250;

/** Everything an app has only while it runs: its connection, publisher, declarations and workers. */
export class RunningApp {
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly maker: EventMaker;
  readonly problems: Problems;
  readonly running: RunningHandlers;
  readonly pauses: Pauses;
  /** Whether the broker can be reached. */
  connected = true;
  /** Whether the connection is being closed, so that nothing can be asked of it any more. */
  closing = false;
  readonly #settings: AppSettings;
  readonly #clock: Clock;
  readonly #keeper: DeclarationKeeper;
  readonly #quarantine: Quarantine | undefined;
  readonly #held: HeldBytes;
  readonly #pools: ReadonlyMap<string, WorkerPool>;
  #othersEnded: Promise<void> | undefined;

  /**
   * Connects, declares, consumes (L1). Leaves nothing open when one of them fails, and no handler begins after that.
   *
   * @param onConnected gets the app before it consumes: the first handlers run while other use cases still subscribe
   * @throws PapaError
   */
  static async start(
    settings: AppSettings,
    useCases: readonly UseCaseDefinition[],
    onConnected: (app: RunningApp) => void,
  ): Promise<RunningApp> {
    const { transport, name, logger, maxHeldBytes } = settings;
    const problems = new Problems(() => (connection?.clock ?? systemClock).now());
    let app: RunningApp | undefined;
    let early: ConnectionStatus = { connected: true };
    let connection: Connection | undefined;
    const options = {
      appName: name,
      logger,
      maxHeldBytes,
      onStatus: (status: ConnectionStatus) => {
        if (app === undefined) early = status;
        else app.#onStatus(status);
      },
      onProblem: (subject: string, problem: string | undefined) => problems.report(subject, problem),
    };
    connection = await connect(transport, options);
    try {
      const starting = new RunningApp(settings, connection, useCases, problems);
      app = starting;
      onConnected(starting);
      if (!early.connected) app.#onStatus(early);
      await app.#keeper.start();
      await app.pauses.start();
      await app.#consume();
      return app;
    } catch (error) {
      if (app !== undefined)
        app.#giveUp(
          new PapaError("stopped", "The app could not be started.", { operation: "start" }, { cause: error }),
        );
      await inTime(connection.close(), CLOSE_LIMIT_MS, systemClock);
      throw error;
    }
  }

  private constructor(
    settings: AppSettings,
    connection: Connection,
    useCases: readonly UseCaseDefinition[],
    problems: Problems,
  ) {
    const clock = connection.clock ?? systemClock;
    const { name, logger, publishTimeout, declarationGrace: grace, unwanted, crashLimit } = settings;
    const { maxPayloadBytes, catalogue, validatePublished } = settings;
    this.#settings = settings;
    this.connection = connection;
    this.problems = problems;
    this.#clock = clock;
    this.publisher = new Publisher({
      connection,
      clock,
      timeout: publishTimeout,
      logger,
      onProblem: (problem) => problems.report("publishing", problem),
    });
    this.maker = new EventMaker({
      source: name,
      maxPayloadBytes,
      catalogue,
      validate: validatePublished,
      unwanted: new UnwantedEvents({ declarations: connection.declarations, unwanted, logger }),
      now: () => this.publisher.now(),
    });
    this.#keeper = new DeclarationKeeper({
      connection,
      clock,
      logger,
      grace,
      appName: name,
      declarations: useCases.map(declarationOf),
      onProblem: (problem) => problems.report("declarations", problem),
    });
    const resume = () => {
      for (const pool of this.#pools.values()) pool.resume();
    };
    this.running = new RunningHandlers(resume);
    this.#held = new HeldBytes(settings.maxHeldBytes, useCases.length, resume);
    const { trials } = connection;
    this.#quarantine = trials && new Quarantine({ trials, running: this.running, clock, crashLimit });
    this.#pools = new Map(useCases.map((useCase) => [useCase.name, this.#pool(useCase)]));
    const { administration } = connection;
    // Operators act in real time, also where a test moves the time of retries by hours.
    this.pauses = new Pauses({ administration, pools: this.#pools, clock: systemClock, logger });
  }

  /** Resolves when no handler runs any more but those that have called `stop()` themselves. */
  get othersEnded(): Promise<void> {
    return this.#othersEnded ?? Promise.resolve();
  }

  /** Drains and closes (L2). */
  async stop(): Promise<void> {
    const { drainTimeout, logger } = this.#settings;
    this.#keeper.stop();
    this.pauses.stop();
    if (!(await inTime(this.#drain(), drainTimeout, this.#clock))) {
      const reason = new PapaError("stopped", "The app stops and waits no longer.", { operation: "handler" });
      let running = 0;
      for (const pool of this.#pools.values()) running += pool.abandon(reason);
      logger.warn(
        { running, drainTimeout },
        "The drain timeout passed; what still runs comes back with the same attempt.",
      );
    }
    this.closing = true;
    this.publisher.close(
      new PapaError(
        "stopped",
        "The app was stopped before the broker confirmed the event.",
        { operation: "newEvent" },
        { retryable: true },
      ),
    );
    if (this.#quarantine !== undefined) {
      await inTime(this.#quarantine.close(), TAKE_BACK_LIMIT_MS, systemClock);
      this.#quarantine.giveUp();
    }
    if (!(await inTime(this.connection.close(), CLOSE_LIMIT_MS, systemClock)))
      logger.warn({}, "The broker did not answer while the connection was closed; it redelivers what was not settled.");
  }

  /** Ends at once what a start has begun before it failed. */
  #giveUp(reason: PapaError): void {
    this.closing = true;
    this.#keeper.stop();
    this.pauses.stop();
    this.#quarantine?.stop();
    for (const pool of this.#pools.values()) {
      pool.stop().catch(() => {});
      pool.abandon(reason);
    }
    this.publisher.close(reason);
    this.#quarantine?.giveUp();
  }

  async #consume(): Promise<void> {
    const { paused } = this.pauses;
    const starting = [...this.#pools].map(([useCase, pool]) => pool.start(this.connection, paused.includes(useCase)));
    await Promise.all(starting);
  }

  async #drain(): Promise<void> {
    this.#othersEnded = this.running.noneButStopping();
    this.#quarantine?.stop();
    const pools = [...this.#pools.values()];
    await Promise.all(pools.map((pool) => pool.stop()));
    this.#quarantine?.giveBack();
    await this.running.none();
    await Promise.all(pools.map((pool) => pool.settled()));
    await this.publisher.idle();
  }

  #pool(useCase: UseCaseDefinition): WorkerPool {
    const settings = this.#settings;
    const clock = this.#clock;
    const { logger, listeners, publishTimeout: patience } = settings;
    const { name, patterns, timeout } = useCase;
    const { headers } = this.connection.capabilities;
    const policy = new FailurePolicy({
      useCase: name,
      retries: useCase.retries ?? settings.retries,
      retryDelay: useCase.retryDelay ?? settings.retryDelay,
      headers,
      clock,
    });
    const handler = composeWraps(
      [...settings.wraps, ...useCase.wraps],
      boundHandler(useCase.handler, settings.container),
    );
    const onProblem = (problem: string | undefined) => this.problems.report(`settling "${name}"`, problem);
    return new WorkerPool({
      app: this,
      useCase: name,
      declaration: declarationOf(useCase).id,
      concurrency: useCase.concurrency ?? settings.concurrency,
      handling: {
        handler: withSchema(handler, useCase.schema, useCase.catalogue ?? settings.catalogue),
        timeout,
        verdicts: new Verdicts({ useCase: name, patterns, keeper: this.#keeper, clock }),
        policy,
        settler: new Settler({ ...listeners, policy, held: this.#held, patience, clock, onProblem }),
        maker: this.maker,
        headers,
        clock,
      },
      running: this.running,
      held: this.#held,
      quarantine: this.#quarantine,
      clock,
      logger,
    });
  }

  #onStatus(status: ConnectionStatus): void {
    const { logger, transport } = this.#settings;
    if (status.connected) {
      if (!this.connected) logger.info({ transport: transport.name }, "The connection to the broker is back.");
      this.problems.report("connection", undefined);
    } else {
      const { error } = status;
      if (this.connected)
        logger.warn({ transport: transport.name, err: error }, "The connection to the broker was lost; reconnecting.");
      this.problems.report("connection", error?.message ?? "the connection to the broker is lost");
    }
    this.connected = status.connected;
    this.publisher.setConnected(status.connected);
    if (!status.connected) return;
    this.#keeper.reconnected();
    for (const pool of this.#pools.values()) pool.reconnected();
  }
}

/** Whether `done` resolves within so many milliseconds. What it rejects with is as good as done. */
function inTime(done: Promise<unknown>, limit: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(limit, () => resolve(false), true);
    const end = () => {
      cancel();
      resolve(true);
    };
    done.then(end, end);
  });
}
