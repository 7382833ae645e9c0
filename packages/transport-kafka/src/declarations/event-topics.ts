import { PatternTrie } from "@papa-events/core/transport";
import type { Names } from "../wire/names.ts";
import type { Positions } from "./bindings.ts";
import type { ExistingTopics } from "./existing-topics-option.ts";
import { MappedTopicNames, OwnTopicNames, type TopicNames } from "./topic-names.ts";

/** So long after an app has last shown it, a mapping is forgotten: what was in the topic then has usually gone too. */
const MAPPING_LIFETIME_MS = 7 * 86_400_000;

/** What apps have recorded of a topic that they map to event names. */
export interface Mapping {
  readonly topic: string;
  readonly pattern: string;
  /** Where the topic ended when it was first mapped. */
  readonly positions: Positions;
  readonly lastSeen: number;
}

/** Knows which topics hold events, and of which names: those of the namespace, and those of others that are mapped. */
export class EventTopics {
  /** As this app maps them. */
  readonly existing: ExistingTopics;
  readonly #names: Names;
  readonly #readsAll: boolean;
  readonly #byName = new PatternTrie<string>();
  /** As all apps map them, by topic and pattern. */
  readonly #mappings = new Map<string, Map<string, Mapping>>();
  readonly #known = new Map<string, TopicNames | undefined>();

  /** @param readsAll whether topics are read that only other apps map: an operator does */
  constructor(names: Names, existing: ExistingTopics, readsAll: boolean) {
    this.#names = names;
    this.existing = existing;
    this.#readsAll = readsAll;
    for (const [topic, pattern] of existing) this.#byName.add(pattern, topic);
  }

  /** The mapped topic to which an event is published, if its name belongs in one. */
  topicOf(name: string): string | undefined {
    return this.existing.size === 0 ? undefined : this.#byName.match(name)[0];
  }

  /** The mapped topics that are read. */
  get mapped(): readonly string[] {
    return [...new Set([...this.existing.keys(), ...(this.#readsAll ? this.#mappings.keys() : [])])];
  }

  /** The names of the events in a topic; `undefined` if it holds none. */
  namesIn(topic: string): TopicNames | undefined {
    let names = this.#known.get(topic);
    if (names === undefined && !this.#known.has(topic)) this.#known.set(topic, (names = this.#lookUp(topic)));
    return names;
  }

  /** What all apps map. */
  get mappings(): readonly Mapping[] {
    return [...this.#mappings.values()].flatMap((byPattern) => [...byPattern.values()]);
  }

  /** Where a mapped topic ended when it was first mapped. */
  positionsOf(topic: string): Positions | undefined {
    const [first] = this.#mappings.get(topic)?.values() ?? [];
    return first?.positions;
  }

  /** Notes what an app has recorded. While it is remembered, where the topic begins stays as it was first recorded. */
  note(topic: string, pattern: string, positions: Positions, time: number): void {
    const before = this.#mappings.get(topic)?.get(pattern);
    const lives = before !== undefined && time - before.lastSeen <= MAPPING_LIFETIME_MS;
    if (!lives) this.forget(topic, pattern);
    const known = this.#mappings.get(topic) ?? new Map<string, Mapping>();
    known.set(pattern, { topic, pattern, positions: lives ? before.positions : positions, lastSeen: time });
    this.#mappings.set(topic, known);
  }

  forget(topic: string, pattern: string): void {
    const known = this.#mappings.get(topic);
    known?.delete(pattern);
    if (known?.size === 0) this.#mappings.delete(topic);
    this.#known.delete(topic);
  }

  /** Forgets what nobody has shown for long. @param now the broker's time */
  expire(now: number): void {
    for (const { topic, pattern, lastSeen } of this.mappings)
      if (now - lastSeen > MAPPING_LIFETIME_MS) this.forget(topic, pattern);
  }

  /** A mapped topic holds what this app says and what others say: what one of them accepts is not to be passed over here. */
  #lookUp(topic: string): TopicNames | undefined {
    const topicName = this.#names.eventName(topic);
    if (topicName !== undefined) return new OwnTopicNames(topicName);
    const own = this.existing.get(topic);
    const patterns = new Set([...(own === undefined ? [] : [own]), ...(this.#mappings.get(topic)?.keys() ?? [])]);
    return patterns.size === 0 ? undefined : new MappedTopicNames([...patterns]);
  }
}
