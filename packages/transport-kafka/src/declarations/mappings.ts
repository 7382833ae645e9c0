import type { Cluster } from "../client/cluster.ts";
import { papaErrorOf } from "../client/errors.ts";
import { sleep } from "../client/time-limit.ts";
import { endsOf } from "./ends.ts";
import type { Registry } from "./registry.ts";
import { missingTopic } from "./topology.ts";

/** For so long a topic that was made just now may be unknown to some broker. */
const MISSING_PATIENCE_MS = 2_000;
const LOOK_INTERVAL_MS = 100;

/**
 * Keeps this app's mappings of existing topics in the registry: so that apps that do not have them say so, and so that whoever
 * has them later misses nothing.
 */
export class Mappings {
  readonly #cluster: Cluster;
  readonly #registry: Registry;
  readonly #warned = new Set<string>();
  /** Topics of which this account may know nothing. */
  #refused: ReadonlySet<string> = new Set();
  #begun = false;

  constructor(cluster: Cluster, registry: Registry) {
    this.#cluster = cluster;
    this.#registry = registry;
  }

  /**
   * Checks that the topics exist, and records them before anything is published to them. What this account may not know of
   * matters only where it is needed.
   *
   * @throws PapaError `topology-conflict` for a topic that does not exist
   */
  async begin(): Promise<void> {
    this.#begun = true;
    if (this.#own.length === 0) return;
    const { address, logger } = this.#cluster;
    try {
      await this.#assertExist();
    } catch (error) {
      throw papaErrorOf(error, address);
    }
    try {
      await this.#registry.refresh();
      this.check();
      await this.show();
    } catch (error) {
      const problem = papaErrorOf(error, address);
      if (problem.code === "connection-failed") throw problem;
      const { existing, mappings } = this.#registry.topics;
      const topics = this.#own.filter(
        (topic) => !mappings.some((each) => each.topic === topic && each.pattern === existing.get(topic)),
      );
      if (topics.length > 0)
        logger.warn(
          { err: problem, topics },
          "This app cannot record that it maps these topics, so that an app that should map them too is not told.",
        );
    }
  }

  /** Records the mappings as seen now, with where the topics ended when they were first mapped. @throws PapaError */
  async show(): Promise<void> {
    const { topics } = this.#registry;
    const fresh = this.#own.filter((topic) => topics.positionsOf(topic) === undefined);
    const ends = fresh.length === 0 ? undefined : await endsOf(this.#cluster, fresh);
    await this.#registry.mapTopics(
      [...topics.existing].flatMap(([topic, pattern]) => {
        const positions = topics.positionsOf(topic) ?? ends?.get(topic);
        return positions === undefined ? [] : [{ topic, pattern, positions }];
      }),
    );
  }

  /** Says, once each, what other apps map otherwise, as far as the registry is known; and which topics are missing. */
  check(): void {
    if (!this.#begun) return;
    const { logger } = this.#cluster;
    const { mappings, existing } = this.#registry.topics;
    for (const topic of this.#own) {
      const isMissing = this.#cluster.isMissing(topic) && !this.#refused.has(topic);
      this.#cluster.report(`the topic "${topic}"`, isMissing ? "it does not exist" : undefined);
    }
    for (const { topic, pattern } of mappings) {
      const own = existing.get(topic);
      const key = JSON.stringify([topic, pattern]);
      if (own === pattern || this.#warned.has(key)) continue;
      this.#warned.add(key);
      const instead = own === undefined ? "does not map it" : `maps it to "${own}"`;
      logger.warn(
        { topic, pattern, own },
        `Other apps of this namespace map the topic "${topic}" to "${pattern}", and this one ${instead}: it may miss events there. Give all apps of a namespace the same \`topics\`; what no app has mapped for 7 days is forgotten.`,
      );
    }
  }

  get #own(): readonly string[] {
    return [...this.#registry.topics.existing.keys()];
  }

  async #assertExist(): Promise<void> {
    const cluster = this.#cluster;
    const until = performance.now() + MISSING_PATIENCE_MS;
    for (;;) {
      const { topics, refused } = await cluster.retried(() => cluster.refresh(this.#own));
      this.#refused = refused;
      const missing = this.#own.find((topic) => !topics.has(topic) && !refused.has(topic));
      if (missing === undefined) return;
      if (performance.now() > until) throw missingTopic(missing);
      await sleep(LOOK_INTERVAL_MS);
    }
  }
}
