import { type DeadLetters, deadLetters, PapaApp, type PapaAppOptions } from "@papa-events/core";
import type { Administration, Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import type { Description, Offered } from "../description.ts";
import { NotOffered } from "../rule.ts";
import { newNamespace } from "./namespace.ts";
import { Program } from "./program.ts";
import { QuietLog } from "./quiet-log.ts";
import { until } from "./until.ts";

const PATIENCE = 20_000;
/** An app's default. */
const MAX_HELD_BYTES = 67_108_864;

/** What an app of a test is made with, beyond the defaults of tests. */
export type AppOptions = Omit<PapaAppOptions, "transport" | "logger" | "events"> & {
  readonly transport?: Transport | undefined;
};

/** One test's namespace on the broker, and all that it opened there. */
export class Rig {
  readonly namespace = newNamespace();
  readonly description: Description;
  readonly log = new QuietLog();
  /** Where a transport does not claim what the rule says in full: what was tested instead. */
  readonly weaker: string[] = [];
  readonly #cleanups: (() => unknown)[] = [];

  constructor(description: Description) {
    this.description = description;
  }

  get patience(): number {
    return this.description.patience ?? PATIENCE;
  }

  /** Breaks what is between this test and the broker. */
  get faults(): { readonly [K in "cut" | "disconnect" | "reconnect" | "crash"]: () => Promise<void> } {
    const { faults } = this.description;
    return {
      cut: () => faults.cut(this.namespace),
      disconnect: () => faults.disconnect(this.namespace),
      reconnect: () => faults.reconnect(this.namespace),
      crash: () => faults.crash(this.namespace),
    };
  }

  /** Has the broker fall silent until the returned function is called. @throws NotOffered */
  async stall(): Promise<() => Promise<void>> {
    const { stall, flow } = this.description.faults;
    if (stall === undefined || flow === undefined)
      throw new NotOffered("the description cannot make its broker silent");
    let flowing = false;
    const go = async () => {
      if (flowing) return;
      flowing = true;
      await flow(this.namespace);
    };
    this.#cleanups.push(go);
    await stall(this.namespace);
    return go;
  }

  /** A transport for one more process. */
  transport(): Transport {
    return this.description.transport(this.namespace);
  }

  /** An app that is not started yet. Retries are quick unless the test says otherwise. */
  app(options: AppOptions = {}): PapaApp {
    const app = new PapaApp({
      retries: 2,
      retryDelay: 100,
      drainTimeout: 2_000,
      publishTimeout: this.patience,
      ...options,
      transport: options.transport ?? this.transport(),
      logger: this.log,
    });
    this.#cleanups.push(() => app.stop());
    return app;
  }

  /** An app that publishes and handles nothing, started. */
  async publisher(options: AppOptions = {}): Promise<PapaApp> {
    const app = this.app(options);
    await app.start();
    return app;
  }

  /** A connection without an app, for what apps do not show. */
  async connect(options: Partial<ConnectOptions> = {}): Promise<Connection> {
    const connection = await this.transport().connect({
      appName: "conformance",
      logger: this.log,
      maxHeldBytes: MAX_HELD_BYTES,
      onStatus: () => {},
      onProblem: () => {},
      ...options,
    });
    this.#cleanups.push(() => connection.close());
    return connection;
  }

  /** What an operator has, who connects for that alone. @throws NotOffered where the transport gives him nothing */
  async operate(): Promise<{ readonly connection: Connection; readonly administration: Administration }> {
    const connection = await this.connect({ appName: "operator", operator: true });
    const { administration } = connection;
    if (administration === undefined) throw new NotOffered("the transport gives operators no administration");
    return { connection, administration };
  }

  /** The dead letters of a use case, without an app (D2). */
  letters(useCase: string): DeadLetters {
    const letters = deadLetters(this.transport(), useCase);
    this.#cleanups.push(() => letters.close());
    return letters;
  }

  /** Another process, for `kill -9`. @throws NotOffered */
  program(role: "publish" | "consume", settings: Readonly<Record<string, unknown>>): Program {
    const program = new Program(this.offered(this.description.program), this.namespace, role, settings);
    this.#cleanups.push(() => program.kill());
    return program;
  }

  /** @throws NotOffered where the description has a reason instead */
  offered<T>(offered: Offered<T>): T {
    if (typeof offered === "string") throw new NotOffered(offered);
    return offered;
  }

  /** Waits for a condition. */
  until(what: string | (() => string), condition: () => boolean | Promise<boolean>): Promise<void> {
    return until(what, condition, this.patience);
  }

  /** Waits until nothing is ready, handled or waiting in the app's use cases. */
  async untilEmpty(app: PapaApp): Promise<void> {
    let last = "";
    await this.until(
      () => `the queues are empty; they are ${last}`,
      async () => {
        const stats = await app.stats();
        last = JSON.stringify(stats);
        return Object.values(stats).every(({ ready, inFlight, waiting }) => ready + inFlight + waiting === 0);
      },
    );
  }

  /** Has something ended with the test. */
  onClose(end: () => unknown): void {
    this.#cleanups.push(end);
  }

  /** Ends everything the test opened. */
  async close(): Promise<void> {
    // All at once: what is cut off from its broker takes as long as it may.
    const ended = await Promise.allSettled(this.#cleanups.map(async (cleanup) => cleanup()));
    const problems = ended.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
    await this.description.clean?.(this.namespace);
    if (problems.length > 0) throw new AggregateError(problems, "What the test opened could not be ended.");
  }
}
