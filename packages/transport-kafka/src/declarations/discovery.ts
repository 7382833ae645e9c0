import type { Cluster } from "../client/cluster.ts";
import { SharedRun } from "../client/shared-run.ts";
import type { Registry } from "./registry.ts";
import type { Topology } from "./topology.ts";

const POLL_INTERVAL_MS = 1_000;
/** An app whose patterns all have a literal first word lists the topics only once in so many polls. */
const POLLS_PER_LISTING = 10;

/** Knows which topics of events exist. A new topic may reach wildcards late, but with all its events. */
export class Discovery {
  readonly #cluster: Cluster;
  readonly #registry: Registry;
  readonly #topology: Topology;
  readonly #topics = new Set<string>();
  readonly #listing = new SharedRun(() => this.#list());
  #timer: NodeJS.Timeout | undefined;
  #polling = false;
  #polls = 0;
  #closed = false;

  constructor(cluster: Cluster, registry: Registry, topology: Topology) {
    this.#cluster = cluster;
    this.#registry = registry;
    this.#topology = topology;
  }

  /** Lists the event topics of the namespace. @throws KafkaError */
  async list(): Promise<ReadonlySet<string>> {
    await this.#listing.call();
    return this.#topics;
  }

  /** Brings a use case's declarations and topics up to date; makes those that its patterns name. */
  async refresh(useCase: string): Promise<void> {
    await this.#registry.refresh();
    const bindings = this.#registry.bindings(useCase);
    const literal = bindings.words.map((word) => this.#cluster.names.events(word));
    await this.#topology.ensure(literal.map((topic) => this.#topology.events(topic)));
    for (const topic of literal) this.#topics.add(topic);
    if (bindings.needDiscovery) await this.list();
  }

  /** The existing topics that a use case reads. */
  topicsOf(useCase: string): string[] {
    const { topics } = this.#registry;
    const bindings = this.#registry.bindings(useCase);
    return [...this.#topics, ...topics.mapped].filter((topic) => {
      const names = topics.namesIn(topic);
      return names !== undefined && bindings.concern(names.held);
    });
  }

  /** Polls declarations and topics, and calls `onPoll` after each poll. */
  watch(useCases: () => readonly string[], onPoll: () => void): void {
    const poll = async () => {
      if (this.#polling || this.#closed) return;
      this.#polling = true;
      this.#polls += 1;
      try {
        await this.#registry.refresh();
        const needed = useCases().some((each) => this.#registry.bindings(each).needDiscovery);
        if (needed || this.#polls % POLLS_PER_LISTING === 0) await this.list();
        if (!this.#closed) onPoll();
      } catch (error) {
        if (!this.#closed) this.#cluster.logger.debug({ err: error }, "Listing the topics failed; trying again.");
      } finally {
        this.#polling = false;
      }
    };
    this.#timer = setInterval(() => void poll(), POLL_INTERVAL_MS);
    this.#topology.onCreated = () => void poll();
  }

  async #list(): Promise<void> {
    const { topics } = await this.#cluster.retried(() => this.#cluster.refresh("all"));
    // None is removed: a broker that has just started may not know all of them yet.
    for (const name of topics.keys()) if (this.#cluster.names.eventName(name) !== undefined) this.#topics.add(name);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }
}
