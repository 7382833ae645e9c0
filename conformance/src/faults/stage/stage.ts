import type { Broker, BrokerProxy } from "../../brokers/index.ts";
import { pause } from "../../rig/until.ts";
import type { Target } from "../brokers/target.ts";
import { Ledger } from "../counting/ledger.ts";
import { Crew } from "../workers/crew.ts";
import type { Handling, Order } from "../workers/order.ts";
import { Publisher, type PublishSettings } from "../workers/publisher.ts";
import { WorkerProcess } from "../workers/worker-process.ts";
import { striking } from "./striking.ts";

/** How many events per second are published, so that faults find publishing and handling at work. */
export const RATE = 2_000;
const PATIENCE_MS = 180_000;
/** How long no more may come before duplicates count as complete, in milliseconds. */
const CALM_MS = 1_500;
const LOOK_MS = 5;
const FAILED = "a worker ended by itself; what it said is above";

export interface StageOptions {
  readonly target: Target;
  readonly broker: Broker;
  readonly proxy: BrokerProxy;
  readonly namespace: string;
  readonly events: number;
  /** How many processes handle. */
  readonly fleet: number;
  /** Whether connections that nobody answers on have to count as lost soon. */
  readonly alert: boolean;
  readonly handling: Handling;
  /** Whether a process that dies by itself is no failure: another is started. */
  readonly supervised: boolean;
  /** How long nothing at all may happen before the rest counts as lost, in milliseconds; three minutes unless set. */
  readonly patience?: number | undefined;
  /** Called with what a long scenario has done so far. */
  readonly onProgress?: ((done: string) => void) | undefined;
}

/** What a scenario plays on: a broker, a proxy, and workers. */
export class Stage {
  readonly events: number;
  readonly namespace: string;
  readonly target: Target;
  readonly broker: Broker;
  /** All workers reach the broker through it. */
  readonly proxy: BrokerProxy;
  readonly ledger: Ledger;
  readonly handlers: Crew;
  readonly collectors: Crew;
  readonly publishers: Publisher[] = [];
  /** What a scenario measured besides, and what is wrong with it. */
  readonly notes: string[] = [];
  readonly problems: string[] = [];
  readonly peakMemory = { publish: 0, handle: 0, collect: 0 };
  readonly #options: StageOptions;
  readonly #access: ReturnType<Target["access"]>;
  readonly #patience: number;
  #processes = 0;

  constructor(options: StageOptions) {
    const { target, events, namespace, broker, proxy, alert, handling, patience = PATIENCE_MS } = options;
    this.#options = options;
    this.#patience = patience;
    this.events = events;
    this.namespace = namespace;
    this.target = target;
    this.ledger = new Ledger(handling.failing);
    const strike = () => this.ledger.causes.struck();
    this.broker = striking(broker, strike);
    this.proxy = striking(proxy, strike);
    const access = target.access(broker, namespace, proxy);
    this.#access = alert ? { ...access, uri: `${access.uri}&${target.alert}` } : access;
    this.handlers = this.#crew({ role: "handle", ...this.#access, ...handling });
    this.collectors = this.#crew({ role: "collect", ...this.#access });
  }

  /** Starts what handles and what collects; all may be killed when it resolves. */
  async open(collectors = 1): Promise<void> {
    const { fleet, handling } = this.#options;
    // The first one alone declares what there is to be declared.
    for (const [crew, size] of [
      [this.handlers, fleet],
      [this.collectors, collectors],
    ] as const) {
      await crew.join();
      await Promise.all(Array.from({ length: size - 1 }, () => crew.join()));
    }
    if (handling.failing !== undefined) {
      // The first number fails: what a retry needs on the broker is made by the first one.
      (await this.startPublisher({ count: 1 })).go();
      await this.until(() => this.ledger.handled === 1);
    }
    await pause(this.target.beforeKill);
  }

  /** Starts a publisher of what is not confirmed yet, in place of the one before. It begins by its `go`. */
  async startPublisher(settings: Partial<PublishSettings> = {}): Promise<WorkerProcess> {
    const [publisher = this.addPublisher()] = this.publishers;
    return publisher.start({ count: this.events - this.ledger.confirmed, rate: RATE, ...settings });
  }

  /** One more place for a process that publishes. */
  addPublisher(): Publisher {
    const publisher = new Publisher(this.publishers.length, {
      start: (order, onFact) => this.#start({ role: "publish", ...this.#access, ...order }, onFact),
      onEnd: (worker) => this.#ended("publish", worker),
    });
    this.publishers.push(publisher);
    return publisher;
  }

  /** Tells what a long scenario has done so far. */
  progress(done: string): void {
    const { confirmed, handled, duplicates } = this.ledger;
    this.#options.onProgress?.(`${done}: ${confirmed} confirmed, ${handled} handled, ${duplicates} again`);
  }

  /** Publishes everything, at the usual pace. */
  async publish(): Promise<void> {
    (await this.startPublisher()).go();
  }

  /** Waits until this share of the events is confirmed. */
  confirmed(share: number): Promise<void> {
    return this.until(() => this.ledger.confirmed >= Math.floor(share * this.events));
  }

  /** Waits until this share of the events is handled. */
  handled(share: number): Promise<void> {
    return this.until(() => this.ledger.handled >= Math.floor(share * this.events));
  }

  /** Waits until all is confirmed, handled and collected, and nothing more comes. */
  async finish(): Promise<void> {
    await this.confirmed(1);
    await this.until(() => this.ledger.complete, 50);
    for (let facts = -1; facts !== this.ledger.facts; await pause(CALM_MS)) facts = this.ledger.facts;
  }

  /** @throws Error when nothing happens any more before the condition comes true */
  async until(condition: () => boolean, look = LOOK_MS): Promise<void> {
    let facts = this.ledger.facts;
    let since = performance.now();
    while (!condition()) {
      if (this.#options.supervised) await this.handlers.revive();
      else if (this.handlers.failed) throw new Error(FAILED);
      if (this.collectors.failed || this.publishers.some(({ worker }) => worker?.failed)) throw new Error(FAILED);
      if (facts !== this.ledger.facts) since = performance.now();
      facts = this.ledger.facts;
      if (performance.now() - since > this.#patience)
        throw new Error(`nothing happened any more for ${this.#patience / 1_000} s`);
      await pause(look);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.publishers.map((publisher) => publisher.kill()));
    await Promise.all([this.handlers.close(), this.collectors.close()]);
    await this.proxy.close();
  }

  #crew(order: Order & { readonly role: "handle" | "collect" }): Crew {
    return new Crew({
      start: (onFact) => this.#start(order, onFact),
      onEnd: (worker, killed) => {
        if (killed) this.ledger.causes.killed(worker.id);
        this.#ended(order.role, worker);
      },
    });
  }

  #start(order: Order, onFact: (fact: string) => void): Promise<WorkerProcess> {
    const id = ++this.#processes;
    return WorkerProcess.start(id, order, (fact) => {
      this.ledger.take(fact, id);
      onFact(fact);
    });
  }

  #ended(role: keyof Stage["peakMemory"], { peakMemory }: WorkerProcess): void {
    this.peakMemory[role] = Math.max(this.peakMemory[role], peakMemory);
  }
}
