import { randomUUID } from "node:crypto";
import type { ShownPattern } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { TopicTail } from "../client/topic-tail.ts";
import type { Names } from "../wire/names.ts";
import type { FetchedRecord, KafkaRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import { Bindings, type Positions } from "./bindings.ts";

/** Stores records in the registry's topic, in this order. @throws PapaError */
export type WriteRecords = (records: readonly KafkaRecord[]) => Promise<void>;

interface Declared {
  /** By writer. The one with the lowest offset in the log counts. */
  readonly writers: Map<string, { readonly at: number; readonly positions: Positions }>;
  /** When the pattern was last declared or seen, by the broker's clock. */
  lastSeen: number;
}

/**
 * Keeps the declarations of a namespace in a compacted topic. Its records:
 *
 *     ["use case"]                     {}                          the use case exists
 *     ["use case","pattern"]           {}                          seen; the record's time tells when
 *     ["use case","pattern","writer"]  {"topic":[offset, ...]}     declared when the partitions ended at these offsets
 */
export class Registry {
  readonly #names: Names;
  readonly #write: WriteRecords;
  readonly #tail: TopicTail;
  readonly #useCases = new Map<string, Map<string, Declared>>();
  readonly #bindings = new Map<string, Bindings>();
  /** A lower bound for the broker's clock minus this machine's monotonic clock. */
  #clock = Number.NEGATIVE_INFINITY;

  constructor(cluster: Cluster, write: WriteRecords) {
    this.#names = cluster.names;
    this.#write = write;
    this.#tail = new TopicTail(cluster, cluster.names.registry, (record) => this.#read(record));
  }

  /** Resolves when everything that was written before the call is known. */
  refresh(): Promise<void> {
    return this.#tail.refresh();
  }

  has(useCase: string): boolean {
    return this.#useCases.has(useCase);
  }

  /** All patterns of a use case, with how long ago each was last seen. */
  patterns(useCase: string): ShownPattern[] {
    const now = performance.now() + this.#clock;
    return [...(this.#useCases.get(useCase) ?? [])]
      .filter(([, { writers }]) => writers.size > 0)
      .map(([pattern, { lastSeen }]) => ({ pattern, idle: Math.max(now - lastSeen, 0) }));
  }

  /** All patterns of a use case, ready for matching. */
  bindings(useCase: string): Bindings {
    let bindings = this.#bindings.get(useCase);
    if (bindings !== undefined) return bindings;
    const patterns = [...(this.#useCases.get(useCase) ?? [])].flatMap(([pattern, { writers }]) => {
      const [first] = [...writers.values()].sort((a, b) => a.at - b.at);
      return first === undefined ? [] : [[pattern, first.positions] as const];
    });
    bindings = new Bindings(patterns);
    this.#bindings.set(useCase, bindings);
    return bindings;
  }

  /** The lowest offset of a partition that a use case may accept. */
  startOf(useCase: string, source: TopicPartition): number {
    return this.bindings(useCase).startOf(this.#names.eventName(source.topic) ?? "", source);
  }

  /** Those of `patterns` that nobody has declared yet. */
  undeclared(useCase: string, patterns: readonly string[]): string[] {
    const known = this.#useCases.get(useCase);
    return patterns.filter((pattern) => (known?.get(pattern)?.writers.size ?? 0) === 0);
  }

  /** Declares patterns, which receive events from these positions on. @throws PapaError */
  async declare(useCase: string, declared: readonly { pattern: string; positions: Positions }[]): Promise<void> {
    const records = declared.map(({ pattern, positions }) =>
      registryRecord([useCase, pattern, randomUUID()], positions),
    );
    await this.#store([registryRecord([useCase], {}), ...records]);
  }

  /** Marks patterns as seen now. @throws PapaError */
  async markSeen(useCases: readonly { useCase: string; patterns: readonly string[] }[]): Promise<void> {
    await this.#store(
      useCases.flatMap(({ useCase, patterns }) => patterns.map((pattern) => registryRecord([useCase, pattern], {}))),
    );
  }

  /** Removes patterns. @throws PapaError */
  async withdraw(useCase: string, patterns: readonly string[]): Promise<void> {
    const known = this.#useCases.get(useCase);
    const keys = patterns.flatMap((pattern) => [
      ...[...(known?.get(pattern)?.writers.keys() ?? [])].map((writer) => [useCase, pattern, writer]),
      [useCase, pattern],
    ]);
    await this.#store(keys.map((key) => registryRecord(key, null)));
  }

  async #store(records: readonly KafkaRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.#write(records);
    await this.refresh();
  }

  #read({ key, value, offset, time }: FetchedRecord): void {
    this.#clock = Math.max(this.#clock, time - performance.now());
    const [useCase, pattern, writer] = parseKey(key);
    if (useCase === undefined) return;
    this.#bindings.delete(useCase);
    let patterns = this.#useCases.get(useCase);
    if (patterns === undefined) this.#useCases.set(useCase, (patterns = new Map()));
    if (pattern === undefined) return;
    let declared = patterns.get(pattern);
    if (declared === undefined) patterns.set(pattern, (declared = { writers: new Map(), lastSeen: time }));
    if (writer === undefined) {
      if (value !== null) declared.lastSeen = time;
      return;
    }
    if (value === null) {
      declared.writers.delete(writer);
      return;
    }
    declared.lastSeen = Math.max(declared.lastSeen, time);
    declared.writers.set(writer, { at: offset, positions: parsePositions(value) });
  }
}

function registryRecord(key: readonly string[], value: object | null): KafkaRecord {
  return { key: JSON.stringify(key), value: value === null ? null : Buffer.from(JSON.stringify(value)) };
}

/** Unreadable positions accept everything: an event too many is skipped later, a missing one would be lost. */
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
