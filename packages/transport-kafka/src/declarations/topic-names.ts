import { PatternTrie } from "@papa-events/core/transport";
import { nameOf } from "../wire/event-record.ts";
import { firstWord } from "../wire/names.ts";
import type { FetchedRecord } from "../wire/records.ts";
import type { Held } from "./bindings.ts";

/** The names of the events in one topic. */
export interface TopicNames {
  readonly held: Held;
  /** The name of an event there; `undefined` if it has none that belongs there. */
  of(record: FetchedRecord): string | undefined;
  /** Whether an event lies where nobody looks for its name. */
  isStray(record: FetchedRecord): boolean;
}

/** A topic of the namespace: its events are called as their `ce_type` says, or like the topic. */
export class OwnTopicNames implements TopicNames {
  readonly held: { readonly word: string };
  readonly #topicName: string;

  /** @param topicName the event name that the topic stands for */
  constructor(topicName: string) {
    this.#topicName = topicName;
    this.held = { word: firstWord(topicName) };
  }

  of(record: FetchedRecord): string {
    return nameOf(record, this.#topicName);
  }

  isStray(record: FetchedRecord): boolean {
    return firstWord(this.of(record)) !== this.held.word;
  }
}

/**
 * A topic of somebody else: its events are called as their `ce_type` says, if that fits, or else by the one name that the
 * topic is mapped to, where it is one.
 */
export class MappedTopicNames implements TopicNames {
  readonly held: { readonly patterns: readonly string[] };
  readonly #trie = new PatternTrie<true>();
  readonly #only: string | undefined;

  constructor(patterns: readonly string[]) {
    this.held = { patterns };
    for (const pattern of patterns) this.#trie.add(pattern, true);
    this.#only = patterns.find((pattern) => !/[*#]/.test(pattern));
  }

  of(record: FetchedRecord): string | undefined {
    const name = nameOf(record, undefined);
    return name !== "" && this.#trie.matches(name) ? name : this.#only;
  }

  isStray(record: FetchedRecord): boolean {
    return this.of(record) === undefined;
  }
}
