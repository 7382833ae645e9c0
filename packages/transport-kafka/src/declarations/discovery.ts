import type { Cluster } from "../client/cluster.ts";
import type { Registry } from "./registry.ts";
import type { Topics } from "./topology.ts";

const INTERVAL = 1_000;
/** Every so many looks also those apps list the topics whose patterns all begin with a word. */
const SELDOM = 10;

/** Which topics of events there are. A topic that appears costs a wildcard latency, never an event. */
export class Discovery {
  readonly #cluster: Cluster;
  readonly #registry: Registry;
  readonly #topics: Topics;
  readonly #found = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #looks = 0;
  #closed = false;

  constructor(cluster: Cluster, registry: Registry, topics: Topics) {
    this.#cluster = cluster;
    this.#registry = registry;
    this.#topics = topics;
  }

  /** Lists the topics of the namespace. @throws KafkaError */
  async list(): Promise<ReadonlySet<string>> {
    const { topics } = await this.#cluster.retried(() => this.#cluster.refresh("all"));
    // None is taken away: a broker that has just started may not know them all yet.
    for (const name of topics.keys()) if (this.#cluster.names.eventName(name) !== undefined) this.#found.add(name);
    return this.#found;
  }

  /** Sees that a use case's declarations and topics are known as they are now. */
  async refresh(useCase: string): Promise<void> {
    await this.#registry.refresh();
    const literal = this.#registry.literalTopics(useCase);
    await this.#topics.ensure(literal.map((topic) => this.#topics.events(topic)));
    for (const topic of literal) this.#found.add(topic);
    if (this.#registry.needsDiscovery(useCase)) await this.list();
  }

  topicsOf(useCase: string): string[] {
    return this.#registry.topicsOf(useCase, this.#found);
  }

  /** Looks again and again, and tells after each look. */
  watch(useCases: () => readonly string[], onLook: () => void): void {
    const look = async () => {
      if (this.#looking || this.#closed) return;
      this.#looking = true;
      this.#looks += 1;
      try {
        await this.#registry.refresh();
        if (this.#looks % SELDOM === 0 || useCases().some((each) => this.#registry.needsDiscovery(each)))
          await this.list();
        if (!this.#closed) onLook();
      } catch (error) {
        if (!this.#closed) this.#cluster.logger.debug({ error }, "The topics could not be listed; it is tried again.");
      } finally {
        this.#looking = false;
      }
    };
    this.#timer = setInterval(() => void look(), INTERVAL);
    this.#topics.onMade = () => void look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }
}
