// As small as a transport can be: a broker inside the process that never fails. docs/writing-a-transport.md shows it in full.
import { setImmediate as othersTurn } from "node:timers/promises";
import { PapaError } from "@papa-events/core";
import {
  type Capabilities,
  type Connection,
  type ConnectOptions,
  type DeadLetterStore,
  type Declaration,
  type DeclarationRecord,
  type Declarations,
  type Delivery,
  type EncodedEvent,
  type OnDelivery,
  PatternTrie,
  type Progress,
  type QueueStats,
  type ReceivedEvent,
  readAttempt,
  type Selection,
  type Settled,
  type Settlement,
  type StoredDeadLetter,
  type SubscribeOptions,
  type Subscription,
  sizeOf,
  type Transport,
  type Unconfirmed,
} from "@papa-events/core/transport";

/** The returned object is the broker: apps meet by sharing it. */
export function minimal(): Transport {
  const queues = new Map<string, Queue>();
  return { name: "minimal", connect: async (options) => new MinimalConnection(queues, options) };
}

const capabilities: Capabilities = {
  atomicOutputs: true,
  atomicMoves: true,
  countsRedeliveries: false,
  declarationsComplete: true,
  addressedForwarding: false,
  headers: { maxBytes: 65_536, perHeader: 0 },
  durability: "process",
  discovery: 0,
  exclusive: "while-connected",
  publishing: { eventsPerCall: 256, callsInFlight: 1, bytesPerCall: 64 * 1_048_576 },
};

/** Others have their turn between so many dead letters. */
const LETTERS_PER_TURN = 100;
const MAX_PAGE_BYTES = 16 * 1_048_576;

interface Letter extends StoredDeadLetter {
  readonly position: number;
}

/** What the broker keeps for one use case. */
class Queue {
  readonly declared = new Map<string, DeclarationRecord & { readonly at: number }>();
  readonly ready: ReceivedEvent[] = [];
  /** The one whose turn it is first. */
  readonly subscribers: MinimalSubscription[] = [];
  readonly dead = new Map<string, Letter>();
  /** Counts up: pages are cut by it, since a letter may be gone when the next page is asked for. */
  lastLetter = 0;
  waiting = 0;

  /** Hands out what is ready, in a turn of its own: never in the stack of whoever published or settled. */
  handOut(): void {
    setImmediate(() => {
      for (let event = this.ready.shift(); event !== undefined; event = this.ready.shift()) {
        const subscriber = this.#next();
        if (subscriber === undefined) return void this.ready.unshift(event);
        subscriber.deliver(event);
      }
    });
  }

  /** One with room, in turn, so that each gets its share (R8). */
  #next(): MinimalSubscription | undefined {
    const index = this.subscribers.findIndex(({ hasRoom }) => hasRoom);
    const [subscriber] = index === -1 ? [] : this.subscribers.splice(index, 1);
    if (subscriber !== undefined) this.subscribers.push(subscriber);
    return subscriber;
  }

  add(...events: readonly ReceivedEvent[]): void {
    this.ready.push(...events);
    this.handOut();
  }

  giveBack(...events: readonly ReceivedEvent[]): void {
    this.ready.unshift(...events);
    this.handOut();
  }

  wait(event: EncodedEvent, delay: number): void {
    this.waiting += 1;
    // A timer of Node.js may fire a millisecond early, and a retry must not.
    setTimeout(() => {
      this.waiting -= 1;
      this.add(event);
    }, delay + 1);
  }
}

class MinimalDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly redeliveries = 0;
  readonly #subscription: MinimalSubscription;

  constructor(event: ReceivedEvent, subscription: MinimalSubscription) {
    this.event = event;
    this.attempt = readAttempt(event.headers);
    this.#subscription = subscription;
  }

  get lost(): boolean {
    return !this.#subscription.unsettled.has(this);
  }

  async settle(settlement: Settlement): Promise<Settled> {
    if (this.lost) return "lost";
    this.#subscription.settle(this, settlement);
    return "stored";
  }
}

type Publish = (events: readonly EncodedEvent[]) => void;

class MinimalSubscription implements Subscription {
  readonly unsettled = new Set<MinimalDelivery>();
  readonly #queue: Queue;
  readonly #onDelivery: OnDelivery;
  readonly #publish: Publish;
  #readAhead: number;
  #open = true;

  constructor(queue: Queue, readAhead: number, onDelivery: OnDelivery, publish: Publish) {
    this.#queue = queue;
    this.#readAhead = readAhead;
    this.#onDelivery = onDelivery;
    this.#publish = publish;
    queue.subscribers.push(this);
    queue.handOut();
  }

  get hasRoom(): boolean {
    return this.#open && this.unsettled.size < this.#readAhead;
  }

  deliver(event: ReceivedEvent): void {
    const delivery = new MinimalDelivery(event, this);
    this.unsettled.add(delivery);
    this.#onDelivery(delivery);
  }

  settle(delivery: MinimalDelivery, settlement: Settlement): void {
    this.unsettled.delete(delivery);
    if (settlement.kind === "done") this.#publish(settlement.outputs);
    if (settlement.kind === "retry" || settlement.kind === "forward")
      this.#queue.wait(settlement.event, settlement.delay);
    if (settlement.kind === "dead") {
      const { id, event } = settlement;
      this.#queue.lastLetter += 1;
      this.#queue.dead.set(id, { id, event, position: this.#queue.lastLetter });
    }
    if (settlement.kind === "release") this.#queue.giveBack(delivery.event);
    this.#queue.handOut();
  }

  readAhead(limit: number): void {
    this.#readAhead = limit;
    this.#queue.handOut();
  }

  async stop(): Promise<void> {
    this.#open = false;
  }

  close(): void {
    this.#open = false;
    this.#queue.subscribers.splice(this.#queue.subscribers.indexOf(this), 1);
    const events = [...this.unsettled].map(({ event }) => event);
    this.unsettled.clear();
    this.#queue.giveBack(...events);
  }
}

class MinimalConnection implements Connection {
  readonly capabilities = capabilities;
  readonly declarations: Declarations;
  readonly #queues: Map<string, Queue>;
  readonly #subscriptions: MinimalSubscription[] = [];
  /** The process stays alive while a connection is open. */
  readonly #keepAlive = setInterval(() => {}, 60_000);

  constructor(queues: Map<string, Queue>, { appName }: ConnectOptions) {
    this.#queues = queues;
    this.declarations = {
      declare: async (declarations) => {
        for (const declaration of declarations) this.#declare(appName, declaration);
      },
      list: async (useCase?: string) => this.#list(useCase),
      withdraw: async (useCase, patterns, idle) => this.#withdraw(useCase, patterns, idle),
    };
  }

  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    this.#route(events);
    return [];
  }

  async subscribe(useCase: string, options: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription> {
    const queue = this.#queue(useCase);
    const subscription = new MinimalSubscription(queue, options.readAhead, onDelivery, (events) => this.#route(events));
    this.#subscriptions.push(subscription);
    return subscription;
  }

  deadLetters(useCase: string): DeadLetterStore {
    const letters = () => this.#queue(useCase).dead;
    const isMeant = (which: Selection, letter: Letter) => {
      if (which === "all") return true;
      return typeof which === "function" ? which(letter) : which.includes(letter.id);
    };
    const take = async (which: Selection, act: (letter: Letter) => void, { onProgress, signal }: Progress = {}) => {
      let seen = 0;
      let done = 0;
      for (const letter of [...letters().values()]) {
        if (signal?.aborted === true) break;
        seen += 1;
        if (isMeant(which, letter) && letters().delete(letter.id)) {
          act(letter);
          done += 1;
        }
        if (seen % LETTERS_PER_TURN > 0) continue;
        onProgress?.({ seen, done });
        await othersTurn();
      }
      onProgress?.({ seen, done });
      return done;
    };
    return {
      count: async () => letters().size,
      list: async ({ limit, after, order }) => {
        const all = [...letters().values()];
        if (order === "newest") all.reverse();
        const isAfter = ({ position }: Letter) =>
          order === "newest" ? position < Number(after) : position > Number(after);
        const rest = after === undefined ? all : all.filter(isAfter);
        let bytes = 0;
        const fits = ({ event }: Letter, index: number) => (bytes += sizeOf(event)) <= MAX_PAGE_BYTES || index === 0;
        const cut = rest.findIndex((letter, index) => index === limit || !fits(letter, index));
        if (cut < 0) return { items: rest };
        const items = rest.slice(0, cut);
        return { items, next: String(items.at(-1)?.position) };
      },
      get: async (id) => letters().get(id),
      scan: async function* (order, signal) {
        const all = [...letters().values()];
        if (order === "newest") all.reverse();
        for (const letter of all) if (signal?.aborted !== true) yield letter;
      },
      redrive: (which, revive, progress) => take(which, (letter) => this.#queue(useCase).add(revive(letter)), progress),
      purge: (which, progress) => take(which, () => {}, progress),
    };
  }

  async inspect(useCase: string): Promise<QueueStats> {
    const { ready, waiting, dead, subscribers } = this.#queue(useCase);
    const inFlight = [...subscribers].reduce((sum, { unsettled }) => sum + unsettled.size, 0);
    return { ready: ready.length, inFlight, waiting, dead: dead.size };
  }

  async close(): Promise<void> {
    clearInterval(this.#keepAlive);
    for (const subscription of this.#subscriptions.splice(0)) subscription.close();
  }

  /** One copy for each use case that wants an event, however many of its patterns match (R2, R3). */
  #route(events: readonly EncodedEvent[]): void {
    const trie = new PatternTrie<Queue>();
    for (const queue of this.#queues.values())
      for (const { patterns } of queue.declared.values()) for (const pattern of patterns) trie.add(pattern, queue);
    for (const event of events) for (const queue of trie.match(event.name)) queue.add(event);
  }

  #declare(app: string, { name, id, patterns }: Declaration): void {
    const queue = this.#queues.get(name) ?? new Queue();
    this.#queues.set(name, queue);
    queue.declared.set(`${app} ${id}`, { useCase: name, app, id, patterns, idle: 0, at: performance.now() });
  }

  #list(useCase: string | undefined): DeclarationRecord[] {
    const queues = useCase === undefined ? [...this.#queues.values()] : [this.#queues.get(useCase)];
    const records = queues.flatMap((queue) => [...(queue?.declared.values() ?? [])]);
    return records.map(({ at, ...record }) => ({ ...record, idle: performance.now() - at }));
  }

  #withdraw(useCase: string, patterns: readonly string[], idle: number): void {
    const { declared } = this.#queue(useCase);
    const stale = [...declared].filter(([, { at }]) => performance.now() - at >= idle);
    for (const [key, record] of stale) {
      const left = record.patterns.filter((pattern) => !patterns.includes(pattern));
      if (left.length > 0) declared.set(key, { ...record, patterns: left });
      else declared.delete(key);
    }
  }

  #queue(useCase: string): Queue {
    const queue = this.#queues.get(useCase);
    if (queue !== undefined) return queue;
    throw new PapaError("unknown-use-case", `No app has declared a use case "${useCase}".`, { useCase });
  }
}
