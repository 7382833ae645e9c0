import type { Broker, BrokerProxy } from "../brokers/index.ts";
import { pause } from "../rig/until.ts";
import { Ledger } from "./ledger.ts";
import type { PublishOrder } from "./order.ts";
import type { Target } from "./targets.ts";
import { WorkerProcess } from "./worker-process.ts";

/** How many events per second are published, so that faults find publishing and handling at work. */
const RATE = 2_000;
const WINDOW = 200;
/** Numbers of one publisher and the next are this far apart. */
const RANGE = 10_000_000;
const PATIENCE = 60_000;
/** How long no more may come before duplicates count as complete. */
const CALM = 1_500;
const LOOK = 5;

export interface StageOptions {
  readonly target: Target;
  readonly broker: Broker;
  readonly proxy: BrokerProxy;
  readonly namespace: string;
  readonly events: number;
  /** Whether connections that nobody answers on have to count as lost soon. */
  readonly alert: boolean;
  /** Every event whose number this divides fails at its first attempt; none unless set. */
  readonly failing?: number | undefined;
  /** How long nothing at all may happen before the rest counts as lost, in milliseconds; a minute unless set. */
  readonly patience?: number | undefined;
}

/** What a scenario plays on: a broker, a proxy, and one worker for each role. */
export class Stage {
  readonly events: number;
  readonly broker: Broker;
  /** All workers reach the broker through it. */
  readonly proxy: BrokerProxy;
  readonly ledger: Ledger;
  /** What a scenario measured besides, and what is wrong with it. */
  readonly notes: string[] = [];
  readonly problems: string[] = [];
  readonly peakMemory = { publish: 0, handle: 0, collect: 0 };
  readonly #target: Target;
  readonly #uri: string;
  readonly #routing: PublishOrder["routing"];
  readonly #patience: number;
  readonly #failing: number | undefined;
  #publishers = 0;
  #publisher: WorkerProcess | undefined;
  #handler: WorkerProcess | undefined;
  readonly #joining: Promise<WorkerProcess>[] = [];
  #collector: WorkerProcess | undefined;

  constructor({ target, broker, proxy, namespace, events, alert, failing, patience = PATIENCE }: StageOptions) {
    this.events = events;
    this.broker = broker;
    this.proxy = proxy;
    this.#target = target;
    this.#patience = patience;
    this.#failing = failing;
    this.ledger = new Ledger(failing);
    const uri = target.uri(proxy.uri, namespace);
    const { routedBy } = target;
    this.#routing = routedBy === undefined ? undefined : { module: routedBy, routes: proxy.routes };
    this.#uri = alert ? `${uri}${uri.includes("?") ? "&" : "?"}${target.alert}` : uri;
  }

  /** Starts what handles and what collects; all may be killed when it resolves. */
  async open(): Promise<void> {
    await this.startHandler();
    this.#collector = await this.#start({ role: "collect", ...this.#where });
    if (this.#failing !== undefined) {
      // The first number fails: what a retry needs on the broker is made by the first one.
      (await this.startPublisher({ count: 1 })).go();
      await this.#until(() => this.ledger.handled === 1);
    }
    await pause(this.#target.beforeKill);
  }

  async startHandler(): Promise<void> {
    this.#handler = await this.#start({ role: "handle", ...this.#where, failing: this.#failing });
  }

  async killHandler(): Promise<void> {
    await this.#kill("handle", this.#handler);
    this.#handler = undefined;
  }

  /** Starts another process that handles, then stops the one before cleanly, as a deployment does, after `meanwhile`. */
  async rollHandler(meanwhile: () => Promise<void>): Promise<void> {
    const before = this.#handler;
    await this.startHandler();
    await meanwhile();
    if (before === undefined) return;
    await before.stop();
    this.#note("handle", before);
  }

  /** Starts one more process that handles. */
  async join(): Promise<void> {
    const joining = this.#start({ role: "handle", ...this.#where, failing: this.#failing });
    this.#joining.push(joining);
    await joining;
  }

  /** Stops the first of those that joined, cleanly. */
  async leave(): Promise<void> {
    const leaving = await this.#joining.shift();
    if (leaving === undefined) return;
    await leaving.stop();
    this.#note("handle", leaving);
  }

  /** How many duplicates a rolling deployment may make. */
  get repeatedByRolling(): number {
    return (this.#target.repeatedByRolling ?? 0) * this.events;
  }

  /** Starts a publisher of what is not confirmed yet, in place of the one before. It begins by its `go`. */
  async startPublisher(settings: Partial<PublishOrder> = {}): Promise<WorkerProcess> {
    await this.killPublisher();
    const from = RANGE * ++this.#publishers;
    const count = this.events - this.ledger.confirmed;
    const usual = { role: "publish", ...this.#where, from, count, window: WINDOW, rate: RATE } as const;
    this.#publisher = await this.#start({ ...usual, ...settings });
    return this.#publisher;
  }

  async killPublisher(): Promise<void> {
    await this.#kill("publish", this.#publisher);
    this.#publisher = undefined;
  }

  /** Publishes everything, at the usual pace. */
  async publish(): Promise<void> {
    (await this.startPublisher()).go();
  }

  /** Waits until this share of the events is confirmed. */
  confirmed(share: number): Promise<void> {
    return this.#until(() => this.ledger.confirmed >= Math.floor(share * this.events));
  }

  /** Waits until this share of the events is handled. */
  handled(share: number): Promise<void> {
    return this.#until(() => this.ledger.handled >= Math.floor(share * this.events));
  }

  /** Waits until all is confirmed, handled and collected, and nothing more comes. */
  async finish(): Promise<void> {
    await this.confirmed(1);
    await this.#until(() => this.ledger.complete, 50);
    for (let facts = -1; facts !== this.ledger.facts; await pause(CALM)) facts = this.ledger.facts;
  }

  async close(): Promise<void> {
    await this.killPublisher();
    await this.killHandler();
    for (const joining of this.#joining) await this.#kill("handle", await joining.catch(() => undefined));
    await this.#kill("collect", this.#collector);
    await this.proxy.close();
  }

  get #where() {
    return { uri: this.#uri, routing: this.#routing };
  }

  #start(order: Parameters<typeof WorkerProcess.start>[0]): Promise<WorkerProcess> {
    return WorkerProcess.start(order, (fact) => this.ledger.take(fact));
  }

  async #kill(role: keyof Stage["peakMemory"], worker: WorkerProcess | undefined): Promise<void> {
    if (worker === undefined) return;
    await worker.kill();
    this.#note(role, worker);
  }

  #note(role: keyof Stage["peakMemory"], { peakMemory }: WorkerProcess): void {
    this.peakMemory[role] = Math.max(this.peakMemory[role], peakMemory);
  }

  /** @throws Error when nothing happens any more before the condition comes true */
  async #until(condition: () => boolean, look = LOOK): Promise<void> {
    let facts = this.ledger.facts;
    let since = performance.now();
    while (!condition()) {
      const failed = [this.#publisher, this.#handler, this.#collector].some((worker) => worker?.failed);
      if (failed) throw new Error("a worker ended by itself; what it said is above");
      if (facts !== this.ledger.facts) since = performance.now();
      facts = this.ledger.facts;
      if (performance.now() - since > this.#patience)
        throw new Error(`nothing happened any more for ${this.#patience / 1_000} s`);
      await pause(look);
    }
  }
}
