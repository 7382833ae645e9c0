import type { PapaError } from "@papa-events/core";
import type { Cluster } from "../client/cluster.ts";
import { settlesWithin } from "../client/time-limit.ts";
import { DoneRecords } from "../consuming/done-records.ts";
import { GroupConsumer } from "../consuming/group-consumer.ts";
import type { Entry } from "../consuming/partition-log.ts";
import { TRIM_INTERVAL_MS, trim } from "../consuming/trim.ts";
import type { Registry } from "../declarations/registry.ts";
import { unreleasable } from "../declarations/rights.ts";
import type { Topology } from "../declarations/topology.ts";
import type { Publisher } from "../publishing/publisher.ts";
import { readDelay } from "../wire/delay-record.ts";
import type { FetchedRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";
import { BrokerClock } from "./broker-clock.ts";
import { ClockQuestions } from "./clock-questions.ts";
import { ReReader } from "./re-reader.ts";
import { UnreadableEvents } from "./unreadable-events.ts";
import { type WaitingEvent, WaitingEvents } from "./waiting-events.ts";

/** No more waiting events are known, but some of each partition; the others stay at the broker. The place of one takes some 300 bytes. */
const MAX_HELD = 150_000;
const MIN_HELD_PER_PARTITION = 5_000;
const RETRY_DELAY_MS = 200;
const IDLE_PAUSE_MS = 20;
/** What is due so soon is best not read a second time. */
const SOON_MS = 5_000;
/** Rights do not change by the second. */
const REFUSED_DELAY_MS = 5_000;
/** A release that fails for so long is a problem. */
const PROBLEM_AFTER_MS = 5_000;
const START_BACKOFF_MS = 10_000;
/** Node.js fires a longer timer at once. */
const MAX_TIMER_MS = 2_147_483_647;

export interface ReleaserOptions {
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly publisher: Publisher;
  readonly registry: Registry;
  /** How many bytes of waiting events may be held (H9). */
  readonly maxBytes: number;
  /** How many bytes may be fetched and not looked at yet. */
  readonly maxBuffered: () => number;
}

/**
 * Sends waiting events back to their use cases when they are due by the broker's clock, since a record's time is the
 * broker's. All apps of a namespace share this work.
 */
export class Releaser {
  readonly #cluster: Cluster;
  readonly #publisher: Publisher;
  readonly #registry: Registry;
  readonly #consumer: GroupConsumer;
  readonly #waiting: WaitingEvents;
  readonly #clock = new BrokerClock();
  #starting: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #questions: ClockQuestions;
  readonly #reReader: ReReader;
  readonly #unreadable: UnreadableEvents;
  #trimming: NodeJS.Timeout | undefined;
  /** The release in progress. */
  #releasing: Promise<void> | undefined;
  #closed = false;
  #assigned: readonly TopicPartition[] = [];
  /** Whether this account may not bring back the retries of every use case: then another app does, if one may. */
  #limited = false;
  #refused = false;
  #startProblem: string | undefined;
  #releaseProblem: { readonly since: number; readonly message: string } | undefined;

  constructor({ cluster, topology, publisher, registry, maxBytes, maxBuffered }: ReleaserOptions) {
    this.#cluster = cluster;
    this.#registry = registry;
    this.#publisher = publisher;
    this.#waiting = new WaitingEvents(maxBytes);
    this.#unreadable = new UnreadableEvents({
      publisher,
      logger: cluster.logger,
      onTried: (problem) => this.#note(problem),
    });
    this.#reReader = new ReReader({
      cluster,
      waiting: this.#waiting,
      onGone: (event) => this.#released(event),
      onLost: (event) => this.#giveUp(event),
      onUnreadable: (record, events) => void this.#passOnKnown(record, events),
      onRead: (problem) => {
        if (problem !== undefined) this.#note(problem);
        this.#setTimer();
      },
    });
    this.#questions = new ClockQuestions({
      cluster,
      clock: this.#clock,
      assigned: () => this.#assigned,
      onAnswered: () => this.#setTimer(),
      onTimeless: () => {
        topology.keepTimeOfDelays().catch((error: unknown) => this.#note(error));
      },
    });
    this.#consumer = new GroupConsumer({
      cluster,
      group: cluster.names.releaser,
      limited: () => this.#limited,
      topics: async () => {
        await topology.ensure([topology.delays]);
        await registry.refresh();
        this.#setLimits(await unreleasable(cluster, topology, registry));
        return [topology.delays.topic];
      },
      startOf: () => 0,
      filter: ({ partition }, records) => {
        const last = records.at(-1);
        const tells = last !== undefined && last.timeIsClaimed !== true && last.unreadable === undefined;
        if (tells && this.#clock.read(partition, last.offset, last.time))
          void this.#questions.ask([{ topic: topology.delays.topic, partition }]);
        return records;
      },
      maxBuffered,
      hasRoom: (log) => this.#waiting.count < MAX_HELD || log.unsettled < MIN_HELD_PER_PARTITION,
      deliver: (entry) => this.#hold(entry),
      drains: false,
      // It is one group for all apps.
      attentive: true,
      doneRecords: new DoneRecords(cluster),
      // What has been released must be committed. Otherwise the next owner of the partition releases it again.
      beforeRejoin: async () => this.#releasing,
      onAssigned: (assigned) => {
        this.#assigned = assigned;
        for (const event of this.#waiting.takeLost()) this.#giveUp(event);
        void this.#questions.ask(assigned);
      },
    });
  }

  start(): void {
    this.#begin();
    this.#trimming = setInterval(() => {
      void trim(this.#cluster, this.#cluster.names.releaser, this.#assigned);
    }, TRIM_INTERVAL_MS);
  }

  /** Joins the group again where the leader knew fewer partitions of the delay topic than there are, as just after it was made. */
  check(): void {
    this.#consumer.check([this.#cluster.names.delays]);
  }

  /** Reports what keeps waiting events from being released, or that nothing does any more. */
  reportProblem(): void {
    const failing = this.#releaseProblem;
    const late = failing !== undefined && performance.now() - failing.since > PROBLEM_AFTER_MS;
    const problem =
      this.#startProblem ?? this.#consumer.problem ?? this.#questions.problem ?? (late ? failing.message : undefined);
    this.#cluster.report("releasing retries", this.#cluster.reachable ? problem : undefined);
  }

  async close(limit: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#starting);
    clearTimeout(this.#timer);
    this.#questions.close();
    clearInterval(this.#trimming);
    if (this.#releasing !== undefined) await settlesWithin(this.#releasing, limit);
    await this.#consumer.close(limit);
  }

  /** Begins to consume; tries again where the cluster refuses it, since somebody may grant the rights. */
  #begin(): void {
    this.#consumer.start().then(
      () => {
        this.#startProblem = undefined;
      },
      (error: unknown) => {
        if (this.#closed) return;
        this.#cluster.logger.error({ err: error }, "This app cannot release waiting events; it is tried again.");
        this.#startProblem = messageOf(error);
        this.#starting = setTimeout(() => this.#begin(), START_BACKOFF_MS);
      },
    );
  }

  /** Holds a waiting event until it is due. */
  #hold(entry: Entry): void {
    if (entry.record.unreadable !== undefined) {
      void this.#passOn(entry);
      return;
    }
    const delay = readDelay(entry.record);
    if (delay === undefined) {
      this.#consumer.settle(entry);
      return;
    }
    const due = this.#storedAt(entry) + delay.delay;
    const isSoon = due - this.#clock.now(entry.log.source.partition) < SOON_MS;
    this.#waiting.hold(due, entry, delay.useCase, isSoon);
    this.#setTimer();
  }

  /** When it was stored, by the broker's clock; where the topic did not keep that time, it was not later than now. */
  #storedAt({ record: { time, timeIsClaimed }, log }: Entry): number {
    if (timeIsClaimed !== true) return time;
    const now = this.#clock.now(log.source.partition);
    return now > 0 ? now : Date.now();
  }

  /** Passes on what cannot be read: which use cases it is for cannot be told. */
  async #passOn(entry: Entry): Promise<void> {
    const { useCases, removed } = this.#registry;
    const all = useCases.filter((useCase) => !removed.has(useCase));
    const { record, log } = entry;
    if (await this.#unreadable.passOn(record, log.source, all, () => this.#closed || log.lost))
      this.#consumer.settle(entry);
    else this.#consumer.drop(entry);
  }

  /** Passes on what could be read once, and now cannot. */
  async #passOnKnown(record: FetchedRecord, events: readonly WaitingEvent[]): Promise<void> {
    const [first] = events;
    if (first === undefined) return;
    const { log } = first.entry;
    const useCases = new Set(events.filter((event) => !this.#isRemoved(event)).map(({ useCase }) => useCase));
    const stored = await this.#unreadable.passOn(record, log.source, [...useCases], () => this.#closed || log.lost);
    for (const event of events) {
      if (stored) this.#released(event);
      else this.#giveUp(event);
    }
  }

  #released(event: WaitingEvent): void {
    this.#waiting.forget(event);
    this.#consumer.settle(event.entry);
  }

  /** Whoever has its partition now releases it. */
  #giveUp(event: WaitingEvent): void {
    this.#waiting.forget(event);
    this.#consumer.drop(event.entry);
  }

  /** Sets the timer for the earliest waiting event. */
  #setTimer(atLeast = 0): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#releasing !== undefined || !this.#consumer.joined) return;
    let earliest = Number.POSITIVE_INFINITY;
    for (const partition of this.#waiting.partitions) {
      const { whole, shed } = this.#waiting.next(partition);
      const read = this.#reReader.isReading(partition) ? Number.POSITIVE_INFINITY : shed - this.#reReader.lead;
      earliest = Math.min(earliest, Math.min(whole, read) - this.#clock.now(partition));
    }
    if (earliest === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(Math.ceil(earliest) + 1, atLeast);
    this.#timer = setTimeout(() => this.#release(), Math.min(wait, MAX_TIMER_MS));
  }

  #release(): void {
    if (this.#releasing !== undefined || this.#closed || !this.#consumer.joined) return;
    if (this.#consumer.expired) {
      // Somebody else may release what waits here; the next heartbeat tells.
      this.#setTimer(RETRY_DELAY_MS);
      return;
    }
    // Its broker's clock may have been set while nothing came.
    const isStale = (partition: number) => !this.#clock.isFresh(partition);
    const stale = this.#assigned.filter(
      ({ partition }) => isStale(partition) && this.#waiting.next(partition).whole <= this.#clock.now(partition),
    );
    for (const partition of this.#waiting.partitions) {
      const now = this.#clock.now(partition);
      if (this.#waiting.next(partition).shed - this.#reReader.lead <= now) void this.#reReader.read(partition, now);
    }
    if (stale.length > 0) void this.#questions.ask(stale);
    const due = this.#waiting.takeDue((each) => (isStale(each) ? Number.NEGATIVE_INFINITY : this.#clock.now(each)));
    if (due.length === 0) {
      // Who is asked, or read, sets it anew.
      this.#setTimer(IDLE_PAUSE_MS);
      return;
    }
    this.#releasing = this.#requeue(due).finally(() => {
      this.#releasing = undefined;
      this.#consumer.deliverSoon();
      this.#setTimer();
    });
  }

  /** Never rejects. */
  async #requeue(due: readonly WaitingEvent[]): Promise<void> {
    // The topic of one that is removed, too, would be made anew.
    const removed = due.filter((event) => this.#isRemoved(event));
    for (const event of removed) this.#released(event);
    const known = due.filter((event) => !event.entry.log.lost && !event.entry.settled);
    const problems = await this.#publisher.requeue(
      known.map(({ useCase, entry: { record } }) => {
        return { useCase, record: { key: null, value: record.value, headers: record.headers } };
      }),
    );
    const outcome = new Map(known.map((event, index) => [event, problems[index]]));
    for (const event of due) {
      const { settled, log } = event.entry;
      if (settled) continue;
      const problem = outcome.get(event);
      if (outcome.has(event) && problem === undefined) this.#released(event);
      else if (log.lost) this.#giveUp(event);
      else this.#waiting.putBack(this.#clock.now(log.source.partition) + retryDelay(problem), event);
    }
    const problem = problems.find((each) => each !== undefined);
    if (problems.some((each) => each?.code === "access-refused")) this.#limit();
    this.#note(problem);
  }

  /** Leaves the work to whoever may do it. */
  #limit(): void {
    this.#refused = true;
    if (!this.#limited) this.#consumer.rejoin();
  }

  #setLimits(useCases: readonly string[]): void {
    const limited = this.#refused || useCases.length > 0;
    if (limited && !this.#limited)
      this.#cluster.logger.warn(
        { useCases },
        "This account may not write to the ready topics of these use cases; their retries are brought back by other apps only.",
      );
    this.#limited = limited;
  }

  /** Whether an operator has removed the use case, and what waits for it (R9). */
  #isRemoved({ useCase, entry }: WaitingEvent): boolean {
    return this.#registry.removed.include(useCase, entry.log.source, entry.record.offset);
  }

  /** Notes what came of a release. */
  #note(error: unknown): void {
    if (error === undefined) {
      this.#releaseProblem = undefined;
      return;
    }
    this.#cluster.logger.debug({ err: error }, "Waiting events could not be released; trying again.");
    const since = this.#releaseProblem?.since ?? performance.now();
    this.#releaseProblem = { since, message: `retries cannot be released: ${messageOf(error)}` };
  }
}

function retryDelay(problem: PapaError | undefined): number {
  return problem?.code === "access-refused" ? REFUSED_DELAY_MS : RETRY_DELAY_MS;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
