import { randomUUID } from "node:crypto";
import type { Declaration, DeclarationRecord } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import { TopicTail } from "../client/topic-tail.ts";
import type { FetchedRecord, KafkaRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import { Bindings, type IdOf, type Positions } from "./bindings.ts";
import type { EventTopics, Mapping } from "./event-topics.ts";
import { readKey, readPatterns, readPositions, registryRecord } from "./registry-record.ts";
import { RemovedUseCases } from "./removed-use-cases.ts";
import { UseCaseDeclarations } from "./use-case-declarations.ts";

/** Stores records in the registry's topic, in this order. @throws PapaError */
export type WriteRecords = (records: readonly KafkaRecord[]) => Promise<void>;

/** One trial of an event, which may kill its process (T6). */
export interface Trial {
  readonly useCase: string;
  readonly eventId: string;
  readonly trial: string;
}

/** Knows what is declared, paused and removed in a namespace, and which trials have begun, by following the registry's topic. */
export class Registry {
  readonly topics: EventTopics;
  readonly #idOf: IdOf;
  readonly #write: WriteRecords;
  readonly #tail: TopicTail;
  readonly #useCases = new Map<string, UseCaseDeclarations>();
  readonly #bindings = new Map<string, Bindings>();
  /** When each trial began, by event and by trial. */
  readonly #trials = new Map<string, Map<string, number>>();
  readonly #paused = new Set<string>();
  readonly removed: RemovedUseCases;
  /** Whether the topic was deleted, so that this instance knows what nobody else can read any more. */
  #isGone = false;
  /** Called when a use case has been removed, also for removals of before this connection. */
  onRemoved: (useCase: string) => void = () => {};
  /** A lower bound for the broker's clock minus this machine's monotonic clock. */
  #clock = Number.NEGATIVE_INFINITY;

  constructor(cluster: Cluster, topics: EventTopics, write: WriteRecords) {
    this.topics = topics;
    this.#idOf = (topic) => cluster.idOf(topic);
    this.#write = write;
    this.removed = new RemovedUseCases(this.#idOf);
    this.#tail = new TopicTail(
      cluster,
      cluster.names.registry,
      (record) => this.#read(record),
      () => (this.#isGone = true),
    );
  }

  /** Resolves when everything that was written before the call is known. */
  async refresh(): Promise<void> {
    await this.#tail.refresh();
    this.topics.expire(this.#now);
  }

  has(useCase: string): boolean {
    return this.#useCases.get(useCase)?.exists === true;
  }

  /** All use cases of the namespace. */
  get useCases(): readonly string[] {
    return [...this.#useCases.values()].filter(({ exists }) => exists).map(({ useCase }) => useCase);
  }

  /** Those that are paused; not all of them need exist any more. */
  get paused(): ReadonlySet<string> {
    return this.#paused;
  }

  /** When anything was last written, at least, by the broker's clock; minus infinity where nothing was. */
  get time(): number {
    return this.#now;
  }

  /** What is declared, of one use case or of all. */
  list(useCase?: string): readonly DeclarationRecord[] {
    const useCases = useCase === undefined ? [...this.#useCases.values()] : [this.#useCases.get(useCase)];
    return useCases.flatMap((each) => each?.list(this.#now) ?? []);
  }

  /** All patterns of a use case, ready for matching. */
  bindings(useCase: string): Bindings {
    let bindings = this.#bindings.get(useCase);
    if (bindings === undefined) {
      const beginningOf = (topic: string) => this.topics.positionsOf(topic);
      bindings = new Bindings(this.#useCases.get(useCase)?.bindings ?? [], this.#idOf, beginningOf);
      this.#bindings.set(useCase, bindings);
    }
    return bindings;
  }

  /** The lowest offset of a partition that a use case may accept. */
  startOf(useCase: string, source: TopicPartition): number {
    const names = this.topics.namesIn(source.topic);
    return names === undefined ? 0 : this.bindings(useCase).startOf(names.held, source);
  }

  /** Those of `patterns` that are not bound. */
  unbound(useCase: string, patterns: readonly string[]): readonly string[] {
    const known = this.#useCases.get(useCase);
    return patterns.filter((pattern) => known?.isBound(pattern) !== true);
  }

  /** Binds patterns, which receive events from these positions on. @throws PapaError */
  async bind(useCase: string, bound: readonly { pattern: string; positions: Positions }[]): Promise<void> {
    const records = bound.map(({ pattern, positions }) =>
      registryRecord({ kind: "binding", useCase, pattern, writer: randomUUID() }, positions),
    );
    await this.#store([registryRecord({ kind: "use-case", useCase }, {}), ...records]);
  }

  /** Records declarations as seen now, and forgets earlier ones that they have replaced. @throws PapaError */
  async markSeen(app: string, declarations: readonly Declaration[]): Promise<void> {
    await this.#store(
      declarations.flatMap(({ name: useCase, id, patterns }) => [
        ...patterns.map((pattern) => registryRecord({ kind: "pattern", useCase, pattern }, {})),
        // After its patterns, so that one that was seen later was seen by somebody else.
        registryRecord({ kind: "declaration", useCase, id, app }, patterns),
        ...(this.#useCases.get(useCase)?.replaced(this.#now) ?? []).map((each) => registryRecord(each, null)),
      ]),
    );
  }

  /** Records topics as mapped now; where one was mapped already, it begins where it did. @throws PapaError */
  async mapTopics(mappings: readonly Pick<Mapping, "topic" | "pattern" | "positions">[]): Promise<void> {
    await this.#store(mappings.map(mappingRecord));
  }

  /** Unbinds those of `patterns` that nobody has declared for `idle` milliseconds. @throws PapaError */
  async withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const keys = this.#useCases.get(useCase)?.withdrawn(patterns, this.#now - idle) ?? [];
    await this.#store(keys.map((key) => registryRecord(key, null)));
  }

  /** Writes what is known once more, under the same keys, if somebody has deleted the topic (L8). @throws PapaError */
  async restore(): Promise<void> {
    if (!this.#isGone) return;
    this.#isGone = false;
    const useCases = [...this.#useCases.values()];
    try {
      await this.#store([
        ...[...this.#paused].map((useCase) => registryRecord({ kind: "paused", useCase }, {})),
        ...this.topics.mappings.map(mappingRecord),
        ...useCases.flatMap((each) => each.records()),
      ]);
    } catch (error) {
      this.#isGone = true;
      throw error;
    }
  }

  /** Notes that a use case is paused, or no longer. @throws PapaError */
  async pause(useCase: string, paused: boolean): Promise<void> {
    await this.#store([registryRecord({ kind: "paused", useCase }, paused ? {} : null)]);
  }

  /**
   * Removes a use case, and what waits for it below these positions of the delay topic. Its name is kept where something of it
   * is.
   *
   * @throws PapaError
   */
  async remove(useCase: string, positions: Positions, keepsName: boolean): Promise<void> {
    const trials = [...this.trialsOlderThan(Number.NEGATIVE_INFINITY)].filter((trial) => trial.useCase === useCase);
    // What earlier versions understand, which know no removals. The key of a binding is nobody's but its writer's.
    const bindings = this.#useCases.get(useCase)?.bindingKeys ?? [];
    await this.#store([
      registryRecord({ kind: "removed", useCase }, positions),
      ...(keepsName ? [registryRecord({ kind: "use-case", useCase }, {})] : []),
      ...bindings.map((key) => registryRecord(key, null)),
      ...trials.map((each) => registryRecord({ kind: "trial", ...each }, null)),
    ]);
  }

  /** The trials of an event that were not taken back. */
  trials(useCase: string, eventId: string): readonly string[] {
    return [...(this.#trials.get(eventKey(useCase, eventId))?.keys() ?? [])];
  }

  /** Those trials that began so many milliseconds ago. */
  *trialsOlderThan(age: number): Generator<Trial> {
    for (const [key, trials] of this.#trials) {
      const end = key.indexOf("\n");
      const [useCase, eventId] = [key.slice(0, end), key.slice(end + 1)];
      for (const [trial, begun] of trials) if (begun < this.#now - age) yield { useCase, eventId, trial };
    }
  }

  /** Records that a trial begins. @throws PapaError */
  async beginTrial(useCase: string, eventId: string, trial: string): Promise<void> {
    await this.#store([registryRecord({ kind: "trial", useCase, eventId, trial }, {})]);
  }

  /** Takes trials back. @throws PapaError */
  async endTrials(trials: readonly Trial[]): Promise<void> {
    await this.#store(trials.map((each) => registryRecord({ kind: "trial", ...each }, null)));
  }

  /** The broker's time is at least this. */
  get #now(): number {
    return performance.now() + this.#clock;
  }

  async #store(records: readonly KafkaRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.#write(records);
    await this.refresh();
  }

  #read(record: FetchedRecord): void {
    const { value, offset, time } = record;
    this.#clock = Math.max(this.#clock, time - performance.now());
    const key = readKey(record);
    if (key === undefined) return;
    if (key.kind === "trial") {
      this.#readTrial(eventKey(key.useCase, key.eventId), key.trial, value === null ? undefined : time);
      return;
    }
    if (key.kind === "paused") {
      if (value === null) this.#paused.delete(key.useCase);
      else this.#paused.add(key.useCase);
      return;
    }
    if (key.kind === "removed") {
      if (value !== null) this.#forget(key.useCase, readPositions(value));
      return;
    }
    if (key.kind === "topic") {
      if (value === null) this.topics.forget(key.topic, key.pattern);
      else this.topics.note(key.topic, key.pattern, readPositions(value), time);
      return;
    }
    let declared = this.#useCases.get(key.useCase);
    if (declared === undefined) this.#useCases.set(key.useCase, (declared = new UseCaseDeclarations(key.useCase)));
    switch (key.kind) {
      case "use-case":
        declared.recorded = value !== null;
        break;
      case "pattern":
        if (value !== null) declared.patternSeen(key.pattern, time);
        break;
      case "binding":
        this.#bindings.delete(key.useCase);
        if (value === null) {
          declared.unbind(key.pattern, key.writer);
          break;
        }
        declared.bind(key.pattern, key.writer, { at: offset, positions: readPositions(value) }, time);
        this.removed.declaredAnew(key.useCase);
        break;
      case "declaration":
        if (value === null) declared.forget(key.id, key.app);
        else declared.seen(key.id, key.app, readPatterns(value), time);
        break;
    }
  }

  #forget(useCase: string, positions: Positions): void {
    this.#useCases.delete(useCase);
    this.#bindings.delete(useCase);
    this.#paused.delete(useCase);
    this.removed.add(useCase, positions);
    this.onRemoved(useCase);
  }

  #readTrial(event: string, trial: string, begun: number | undefined): void {
    const trials = this.#trials.get(event) ?? new Map<string, number>();
    if (begun === undefined) trials.delete(trial);
    else trials.set(trial, begun);
    if (trials.size === 0) this.#trials.delete(event);
    else this.#trials.set(event, trials);
  }
}

function mappingRecord({ topic, pattern, positions }: Pick<Mapping, "topic" | "pattern" | "positions">): KafkaRecord {
  return registryRecord({ kind: "topic", topic, pattern }, positions);
}

/** No use case's name contains a line feed. */
function eventKey(useCase: string, eventId: string): string {
  return `${useCase}\n${eventId}`;
}
