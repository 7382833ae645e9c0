import { PatternTrie } from "@papa-events/core/transport";
import { firstWord, needsDiscovery } from "../wire/names.ts";
import { overlap } from "../wire/pattern-overlap.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";

/** Where each partition of each topic ended when a pattern was declared, and by `topic#` the topic's id at that time. */
export type Positions = Readonly<Record<string, readonly number[]>>;

/** The present id of a topic, if it is known. */
export type IdOf = (topic: string) => number | undefined;

/** Which names the events of a topic have: those that begin with a word, or those that one of some patterns matches. */
export type Held = { readonly word: string } | { readonly patterns: readonly string[] };

/** Where a topic ended when the namespace began to use it; it does not know topics of its own. */
export type BeginningOf = (topic: string) => Positions | undefined;

/** Where positions hold a topic's id; no topic's name contains this sign. */
export function idKey(topic: string): string {
  return `${topic}#`;
}

/** Whether a pattern may match events of a topic. */
export function mayMatch(pattern: string, held: Held): boolean {
  if ("patterns" in held) return held.patterns.some((each) => overlap(pattern, each));
  return needsDiscovery(pattern) || firstWord(pattern) === held.word;
}

const MAX_CACHED_NAMES = 10_000;

/** A pattern of a use case, and the positions from which on it receives events. */
class Binding {
  readonly pattern: string;
  readonly #positions: Positions;
  readonly #idOf: IdOf;
  readonly #beginningOf: BeginningOf;
  readonly #word: string;
  readonly #any: boolean;

  constructor(pattern: string, positions: Positions, idOf: IdOf, beginningOf: BeginningOf) {
    this.pattern = pattern;
    this.#positions = positions;
    this.#idOf = idOf;
    this.#beginningOf = beginningOf;
    this.#any = needsDiscovery(pattern);
    this.#word = firstWord(pattern);
  }

  /** As {@link mayMatch}, for thousands of topics a second. */
  concerns(held: Held): boolean {
    return "word" in held ? this.#any || held.word === this.#word : mayMatch(this.pattern, held);
  }

  /** A partition that did not exist when the pattern was declared is read from its beginning; one whose topic was made anew too. */
  startOf({ topic, partition }: TopicPartition): number {
    const positions = this.#positionsIn(topic);
    const start = positions?.[topic]?.[partition] ?? 0;
    return start > 0 && this.#isAnew(topic, positions) ? 0 : start;
  }

  accepts({ topic, partition }: TopicPartition, offset: number): boolean {
    const positions = this.#positionsIn(topic);
    return offset >= (positions?.[topic]?.[partition] ?? 0) || this.#isAnew(topic, positions);
  }

  /** A topic may have been mapped after the pattern was declared. */
  #positionsIn(topic: string): Positions | undefined {
    return this.#positions[topic] === undefined ? this.#beginningOf(topic) : this.#positions;
  }

  #isAnew(topic: string, positions: Positions | undefined): boolean {
    const [then] = positions?.[idKey(topic)] ?? [];
    const now = this.#idOf(topic);
    return then !== undefined && now !== undefined && then !== now;
  }
}

/** All bindings of one use case. */
export class Bindings {
  readonly #bindings: readonly Binding[];
  readonly #trie = new PatternTrie<Binding>();
  /** What matches an event name, by name. */
  readonly #matches = new Map<string, readonly Binding[]>();

  constructor(
    patterns: Iterable<readonly [pattern: string, positions: Positions]>,
    idOf: IdOf = () => undefined,
    beginningOf: BeginningOf = () => undefined,
  ) {
    this.#bindings = Array.from(patterns, ([pattern, positions]) => new Binding(pattern, positions, idOf, beginningOf));
    for (const binding of this.#bindings) this.#trie.add(binding.pattern, binding);
  }

  /** Whether some pattern may match names with any first word. */
  get needDiscovery(): boolean {
    return this.#bindings.some(({ pattern }) => needsDiscovery(pattern));
  }

  /** The literal first words of the patterns, each once. */
  get words(): string[] {
    return literalWords(this.#bindings.map(({ pattern }) => pattern));
  }

  /** Whether some pattern may match events of a topic. */
  concern(held: Held): boolean {
    return this.#bindings.some((binding) => binding.concerns(held));
  }

  /** The lowest offset of a partition that some pattern may accept. */
  startOf(held: Held, source: TopicPartition): number {
    const starts = this.#bindings.filter((binding) => binding.concerns(held)).map((binding) => binding.startOf(source));
    return starts.length === 0 ? 0 : Math.min(...starts);
  }

  /** Whether some pattern matches an event that was published after the pattern was declared. */
  accept(name: string, source: TopicPartition, offset: number): boolean {
    let matches = this.#matches.get(name);
    if (matches === undefined) {
      matches = this.#trie.match(name);
      if (this.#matches.size >= MAX_CACHED_NAMES) this.#matches.clear();
      this.#matches.set(name, matches);
    }
    for (const binding of matches) if (binding.accepts(source, offset)) return true;
    return false;
  }
}

/** Collects the literal first words of patterns, each once. */
export function literalWords(patterns: readonly string[]): string[] {
  return [...new Set(patterns.filter((pattern) => !needsDiscovery(pattern)).map(firstWord))];
}
