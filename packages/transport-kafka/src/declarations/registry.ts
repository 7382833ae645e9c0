import { randomUUID } from "node:crypto";
import { PatternTrie, type ShownPattern } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import type { FetchedRecord, Place } from "../client/kafka-client.ts";
import { Tail } from "../client/topic-tail.ts";
import type { Producer } from "../publishing/producer.ts";
import { firstWord, type Names, needsDiscovery } from "../wire/names.ts";
import type { Topics, Wanted } from "./topology.ts";

/** Where each partition of each topic ended when a pattern was declared. */
export type Positions = Readonly<Record<string, readonly number[]>>;

interface Declared {
  /** By writer, in the order of the log: the earliest counts. */
  readonly writers: Map<string, { readonly at: number; readonly positions: Positions }>;
  /** When it was last shown, by the broker's clock. */
  shown: number;
}

/** A pattern of a use case, and from where on it wants events. */
class Binding {
  readonly pattern: string;
  readonly positions: Positions;
  readonly #word: string;
  readonly #any: boolean;

  constructor(pattern: string, positions: Positions) {
    this.pattern = pattern;
    this.positions = positions;
    this.#any = needsDiscovery(pattern);
    this.#word = firstWord(pattern);
  }

  /** Whether it may want events of a topic that is called so, prefix aside. */
  concerns(eventName: string): boolean {
    return this.#any || firstWord(eventName) === this.#word;
  }

  /** A partition that was not there when the pattern was declared was born later, and is wanted from its beginning. */
  from({ topic, partition }: Place): number {
    return this.positions[topic]?.[partition] ?? 0;
  }
}

interface Bound {
  readonly bindings: readonly Binding[];
  readonly trie: PatternTrie<Binding>;
  readonly matches: Map<string, readonly Binding[]>;
}

const MOST_CACHED = 10_000;

/**
 * The declarations of a namespace, in a compacted topic. Its records:
 *
 *     ["use case"]                     {}                          the use case exists
 *     ["use case","pattern"]           {}                          shown; the record's time says when
 *     ["use case","pattern","writer"]  {"topic":[offset, ...]}     declared when these were the ends of the partitions
 */
export class Registry {
  readonly topic: Wanted;
  readonly #names: Names;
  readonly #topics: Topics;
  readonly #producer: Producer;
  readonly #tail: Tail;
  readonly #useCases = new Map<string, Map<string, Declared>>();
  readonly #bound = new Map<string, Bound>();
  /** The broker's clock less this machine's monotonic one, at least. */
  #clock = Number.NEGATIVE_INFINITY;

  constructor(cluster: Cluster, topics: Topics, producer: Producer) {
    this.#names = cluster.names;
    this.#topics = topics;
    this.#producer = producer;
    this.topic = { topic: cluster.names.registry, kind: "compacted", partitions: 1 };
    this.#tail = new Tail(cluster, this.topic.topic, (record) => this.#read(record));
  }

  /** Resolves when all is known that was written before the call. */
  refresh(): Promise<void> {
    return this.#tail.refresh();
  }

  has(useCase: string): boolean {
    return this.#useCases.has(useCase);
  }

  /** All patterns of a use case, with how long ago each was last shown. */
  patterns(useCase: string): ShownPattern[] {
    const now = performance.now() + this.#clock;
    return [...(this.#useCases.get(useCase) ?? [])]
      .filter(([, { writers }]) => writers.size > 0)
      .map(([pattern, { shown }]) => ({ pattern, idle: Math.max(now - shown, 0) }));
  }

  /** Whether topics have to be discovered for a use case. */
  needsDiscovery(useCase: string): boolean {
    return this.#boundOf(useCase).bindings.some(({ pattern }) => needsDiscovery(pattern));
  }

  /** Which of the topics there are a use case reads. */
  topicsOf(useCase: string, topics: Iterable<string>): string[] {
    const { bindings } = this.#boundOf(useCase);
    return [...topics].filter((topic) => {
      const name = this.#names.eventName(topic);
      return name !== undefined && bindings.some((binding) => binding.concerns(name));
    });
  }

  /** The topics that literal first words name, whether they exist or not. */
  literalTopics(useCase: string): string[] {
    const patterns = this.#boundOf(useCase).bindings.map(({ pattern }) => pattern);
    return [
      ...new Set(patterns.filter((each) => !needsDiscovery(each)).map((each) => this.#names.events(firstWord(each)))),
    ];
  }

  /** The first offset of a partition that a use case may want. */
  startOf(useCase: string, place: Place): number {
    const name = this.#names.eventName(place.topic) ?? "";
    const starts = this.#boundOf(useCase)
      .bindings.filter((binding) => binding.concerns(name))
      .map((binding) => binding.from(place));
    return starts.length === 0 ? 0 : Math.min(...starts);
  }

  /** Whether a declared pattern wants an event that is at this place. */
  wants(useCase: string, name: string, place: Place, offset: number): boolean {
    const bound = this.#boundOf(useCase);
    let matches = bound.matches.get(name);
    if (matches === undefined) {
      matches = bound.trie.match(name);
      if (bound.matches.size >= MOST_CACHED) bound.matches.clear();
      bound.matches.set(name, matches);
    }
    for (const binding of matches) if (offset >= binding.from(place)) return true;
    return false;
  }

  /** Patterns that nobody has declared yet. */
  undeclared(useCase: string, patterns: readonly string[]): string[] {
    const known = this.#useCases.get(useCase);
    return patterns.filter((pattern) => (known?.get(pattern)?.writers.size ?? 0) === 0);
  }

  /** Writes patterns down as wanted from these positions on. @throws PapaError */
  async declare(useCase: string, declared: readonly { pattern: string; positions: Positions }[]): Promise<void> {
    const records = declared.map(({ pattern, positions }) => ({
      key: [useCase, pattern, randomUUID()],
      value: positions,
    }));
    await this.#write([{ key: [useCase], value: {} }, ...records]);
  }

  /** Writes patterns down as shown now. @throws PapaError */
  async show(shown: readonly { useCase: string; patterns: readonly string[] }[]): Promise<void> {
    await this.#write(
      shown.flatMap(({ useCase, patterns }) => patterns.map((pattern) => ({ key: [useCase, pattern], value: {} }))),
    );
  }

  /** Forgets patterns. @throws PapaError */
  async withdraw(useCase: string, patterns: readonly string[]): Promise<void> {
    const known = this.#useCases.get(useCase);
    const keys = patterns.flatMap((pattern) => [
      ...[...(known?.get(pattern)?.writers.keys() ?? [])].map((writer) => [useCase, pattern, writer]),
      [useCase, pattern],
    ]);
    await this.#write(keys.map((key) => ({ key, value: null })));
  }

  async #write(records: readonly { key: readonly string[]; value: object | null }[]): Promise<void> {
    if (records.length === 0) return;
    await this.#topics.ensure([this.topic]);
    // One after the other in one batch: a reader sees a use case before its patterns.
    const outgoing = records.map(({ key, value }) => ({
      topic: this.topic,
      partition: 0,
      record: { key: JSON.stringify(key), value: value === null ? null : Buffer.from(JSON.stringify(value)) },
    }));
    await Promise.all(outgoing.map((each) => this.#producer.storeOne(each)));
    await this.refresh();
  }

  #read({ key, value, offset, time }: FetchedRecord): void {
    this.#clock = Math.max(this.#clock, time - performance.now());
    const parts = parseKey(key);
    const [useCase, pattern, writer] = parts;
    if (useCase === undefined) return;
    this.#bound.delete(useCase);
    let patterns = this.#useCases.get(useCase);
    if (patterns === undefined) this.#useCases.set(useCase, (patterns = new Map()));
    if (pattern === undefined) return;
    let declared = patterns.get(pattern);
    if (declared === undefined) patterns.set(pattern, (declared = { writers: new Map(), shown: time }));
    if (writer === undefined) {
      if (value !== null) declared.shown = time;
      return;
    }
    if (value === null) {
      declared.writers.delete(writer);
      return;
    }
    declared.shown = Math.max(declared.shown, time);
    declared.writers.set(writer, { at: offset, positions: parsePositions(value) });
  }

  #boundOf(useCase: string): Bound {
    let bound = this.#bound.get(useCase);
    if (bound !== undefined) return bound;
    const trie = new PatternTrie<Binding>();
    const bindings: Binding[] = [];
    for (const [pattern, { writers }] of this.#useCases.get(useCase) ?? []) {
      const [first] = [...writers.values()].sort((a, b) => a.at - b.at);
      if (first === undefined) continue;
      const binding = new Binding(pattern, first.positions);
      bindings.push(binding);
      trie.add(pattern, binding);
    }
    bound = { bindings, trie, matches: new Map() };
    this.#bound.set(useCase, bound);
    return bound;
  }
}

/** What cannot be read wants everything: too much is passed over by handlers, too little is lost. */
function parsePositions(value: Buffer): Positions {
  try {
    const positions: unknown = JSON.parse(value.toString());
    return typeof positions === "object" && positions !== null ? (positions as Positions) : {};
  } catch {
    return {};
  }
}

function parseKey(key: Buffer | null): string[] {
  try {
    const parts: unknown = JSON.parse(key?.toString() ?? "");
    return Array.isArray(parts) && parts.every((part) => typeof part === "string") ? (parts as string[]) : [];
  } catch {
    return [];
  }
}
