/**
 * The one matcher of the library (R4). Every transport that routes in its client uses it, and the conformance
 * suite holds the brokers that route themselves against it.
 *
 * Patterns share a trie by their words. A name walks it with the set of all nodes it can be at, so that the
 * work is bounded by words times reachable nodes however many `#` the patterns have; a backtracking matcher
 * would be exponential in them.
 */
export class PatternTrie<V> {
  readonly #root = new Node<V>(false);
  /** Counts the walks. A node or value marked with the present count has been reached by this walk. */
  #walk = 0;
  readonly #slots = new Map<V, Slot<V>>();

  /** Makes `value` an answer for every name that `pattern` matches; adding a pair again changes nothing. */
  add(pattern: string, value: V): void {
    let slot = this.#slots.get(value);
    if (slot === undefined) this.#slots.set(value, (slot = new Slot(value)));
    const node = this.#node(pattern);
    if (node.slots.includes(slot)) return;
    node.slots.push(slot);
    slot.patterns += 1;
  }

  /** Takes one pair back. Emptied nodes stay: patterns are few and mostly come back. */
  remove(pattern: string, value: V): void {
    const slot = this.#slots.get(value);
    if (slot === undefined) return;
    const slots = this.#node(pattern).slots;
    const place = slots.indexOf(slot);
    if (place === -1) return;
    slots.splice(place, 1);
    slot.patterns -= 1;
    if (slot.patterns === 0) this.#slots.delete(value);
  }

  /** The values of all patterns that match `name`, each once (R2), in no promised order. */
  match(name: string): V[] {
    const found: V[] = [];
    for (const node of this.#nodesAfter(name)) {
      for (const slot of node.slots) {
        if (slot.reachedBy === this.#walk) continue;
        slot.reachedBy = this.#walk;
        found.push(slot.value);
      }
    }
    return found;
  }

  /** Whether any pattern matches `name`. */
  matches(name: string): boolean {
    return this.#nodesAfter(name).some((node) => node.slots.length > 0);
  }

  /** The nodes at which the whole of `name` ends. */
  #nodesAfter(name: string): Node<V>[] {
    let reached: Node<V>[] = [];
    this.#enter(this.#root, reached, ++this.#walk);
    let start = 0;
    while (start <= name.length && reached.length > 0) {
      let end = name.indexOf(".", start);
      if (end === -1) end = name.length;
      const word = name.slice(start, end);
      start = end + 1;
      const next: Node<V>[] = [];
      this.#walk += 1;
      for (const node of reached) {
        if (node.repeats) this.#enter(node, next, this.#walk);
        const child = node.words.get(word);
        if (child !== undefined) this.#enter(child, next, this.#walk);
        if (node.star !== undefined) this.#enter(node.star, next, this.#walk);
      }
      reached = next;
    }
    return reached;
  }

  /** Adds a node, and the `#` behind it, which is reached too because it may stand for no word. */
  #enter(node: Node<V>, into: Node<V>[], walk: number): void {
    let entered: Node<V> | undefined = node;
    while (entered !== undefined && entered.reachedBy !== walk) {
      entered.reachedBy = walk;
      into.push(entered);
      entered = entered.hash;
    }
  }

  #node(pattern: string): Node<V> {
    let node = this.#root;
    for (const word of pattern.split(".")) node = node.child(word);
    return node;
  }
}

/** The names that any of `patterns` matches. */
export function matcherOf(patterns: Iterable<string>): (name: string) => boolean {
  const trie = new PatternTrie<true>();
  for (const pattern of patterns) trie.add(pattern, true);
  return (name) => trie.matches(name);
}

class Node<V> {
  readonly words = new Map<string, Node<V>>();
  star: Node<V> | undefined;
  hash: Node<V> | undefined;
  readonly slots: Slot<V>[] = [];
  reachedBy = 0;
  /** Whether this node stands for `#` and so may take any number of further words. */
  readonly repeats: boolean;

  constructor(repeats: boolean) {
    this.repeats = repeats;
  }

  child(word: string): Node<V> {
    if (word === "*") return (this.star ??= new Node(false));
    // `#.#` says what `#` says, and still has a node of its own: else removing one pattern would remove the other.
    if (word === "#") return (this.hash ??= new Node(true));
    let child = this.words.get(word);
    if (child === undefined) this.words.set(word, (child = new Node(false)));
    return child;
  }
}

class Slot<V> {
  readonly value: V;
  patterns = 0;
  reachedBy = 0;

  constructor(value: V) {
    this.value = value;
  }
}
