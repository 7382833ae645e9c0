import { PapaError } from "../errors/papa-error.ts";
import { FailurePolicy } from "../handling/failure-policy.ts";
import { Lane } from "../handling/lane.ts";
import { Processor } from "../handling/processor.ts";
import { Settler } from "../handling/settler.ts";
import { composeWraps } from "../handling/wraps.ts";
import { EventMaker } from "../publishing/event-maker.ts";
import { Publisher } from "../publishing/publisher.ts";
import { Admission } from "../rolling/admission.ts";
import { DeclarationKeeper } from "../rolling/declaration-keeper.ts";
import { type Clock, systemClock } from "../transport/clock.ts";
import type { Connection, ConnectionStatus } from "../transport/transport.ts";
import { boundHandler } from "../use-cases/class-use-cases.ts";
import type { UseCaseDefinition } from "../use-cases/definition.ts";
import type { AppSettings } from "./app-options.ts";

/** Everything an app has only while it runs: its connection, publisher, declarations and lanes. */
export class RunningApp {
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly maker: EventMaker;
  /** Whether the broker can be reached, and since when not. */
  status: ConnectionStatus = { connected: true };
  readonly #settings: AppSettings;
  readonly #clock: Clock;
  readonly #keeper: DeclarationKeeper;
  readonly #lanes: readonly Lane[];

  /** Connects, declares, consumes (L1). Leaves nothing open when one of them fails. @throws PapaError */
  static async start(settings: AppSettings, useCases: readonly UseCaseDefinition[]): Promise<RunningApp> {
    let running: RunningApp | undefined;
    let early: ConnectionStatus = { connected: true };
    const onStatus = (status: ConnectionStatus) => {
      if (running === undefined) early = status;
      else running.#onStatus(status);
    };
    const { transport, name, logger } = settings;
    const connection = await transport.connect({ appName: name, logger, onStatus });
    try {
      const app = new RunningApp(settings, connection, useCases);
      running = app;
      if (!early.connected) app.#onStatus(early);
      await app.#keeper.start();
      await Promise.all(app.#lanes.map((lane) => lane.start(connection)));
      return app;
    } catch (error) {
      if (running !== undefined) running.#keeper.stop();
      await connection.close();
      throw error;
    }
  }

  private constructor(settings: AppSettings, connection: Connection, useCases: readonly UseCaseDefinition[]) {
    const clock = connection.clock ?? systemClock;
    const { logger, publishTimeout: timeout, declarationGrace: grace } = settings;
    this.#settings = settings;
    this.connection = connection;
    this.#clock = clock;
    this.publisher = new Publisher({ connection, clock, timeout, logger });
    const { name: source, maxPayloadBytes, catalogue, validatePublished } = settings;
    this.maker = new EventMaker({
      source,
      maxPayloadBytes,
      catalogue,
      validate: validatePublished,
      now: () => this.publisher.now(),
    });
    this.#keeper = new DeclarationKeeper({ connection, clock, logger, grace, useCases });
    this.#lanes = useCases.map((useCase) => this.#lane(useCase));
  }

  /** Drains and closes (L2). */
  async stop(): Promise<void> {
    const { drainTimeout, logger } = this.#settings;
    this.#keeper.stop();
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    const drained = Promise.all(this.#lanes.map((lane) => lane.idle())).then(() => this.publisher.idle());
    if (!(await this.#inTime(drained, drainTimeout))) {
      const reason = new PapaError("stopped", "The app stops and waits no longer.", { operation: "handler" });
      const running = this.#lanes.reduce((sum, lane) => sum + lane.abort(reason), 0);
      logger.warn(
        { running, drainTimeout },
        "The drain timeout passed; what still runs comes back with the same attempt.",
      );
    }
    this.publisher.close(
      new PapaError(
        "stopped",
        "The app was stopped before the broker confirmed the event.",
        { operation: "newEvent" },
        { retryable: true },
      ),
    );
    await this.connection.close();
  }

  #lane(useCase: UseCaseDefinition): Lane {
    const settings = this.#settings;
    const clock = this.#clock;
    const { logger, listeners } = settings;
    const { name, patterns, schema, timeout } = useCase;
    const retries = useCase.retries ?? settings.retries;
    const retryDelay = useCase.retryDelay ?? settings.retryDelay;
    const policy = new FailurePolicy({ useCase: name, retries, retryDelay, clock, logger });
    const handler = composeWraps(
      [...settings.wraps, ...useCase.wraps],
      boundHandler(useCase.handler, settings.container),
    );
    const processor = new Processor({
      useCase: name,
      handler,
      schema,
      catalogue: useCase.catalogue ?? settings.catalogue,
      timeout,
      admission: new Admission({ useCase: name, patterns, keeper: this.#keeper, policy, clock }),
      policy,
      maker: this.maker,
      clock,
    });
    const settler = new Settler({ ...listeners, policy, clock });
    return new Lane({
      useCase: name,
      concurrency: useCase.concurrency ?? settings.concurrency,
      processor,
      settler,
      clock,
      logger,
    });
  }

  #onStatus(status: ConnectionStatus): void {
    const { logger, transport } = this.#settings;
    if (status.connected !== this.status.connected) {
      if (status.connected) logger.info({ transport: transport.name }, "The connection to the broker is back.");
      else
        logger.warn(
          { transport: transport.name, error: status.error },
          "The connection to the broker was lost; it is made again.",
        );
    }
    this.status = status;
    this.publisher.setConnected(status.connected);
  }

  /** Whether `done` resolves within so many milliseconds. */
  #inTime(done: Promise<unknown>, limit: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(limit, () => resolve(false), true);
      done.then(() => {
        cancel();
        resolve(true);
      });
    });
  }
}
