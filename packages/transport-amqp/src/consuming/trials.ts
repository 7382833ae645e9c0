import type { Trials } from "@papa-events/core/transport";
import { type DocumentAccess, type DocumentKind, SharedDocument } from "../declarations/shared-document.ts";
import type { Names } from "../wire/names.ts";

/** The most records that are kept. Those of events that have vanished (expired, purged) are never taken back. */
const MAX_RECORDS = 1_000;

interface TrialRecord {
  readonly useCase: string;
  readonly eventId: string;
  readonly trial: string;
}

/** The records of trials that have begun and were not taken back, oldest first. */
type TrialRecords = readonly TrialRecord[];

const trialsKind: DocumentKind<TrialRecords> = {
  empty: [],
  read: (json) => (Array.isArray(json) ? json.filter(isRecord) : []),
  merge: (one, other) => [...one, ...other.filter(({ trial }) => !one.some((each) => each.trial === trial))],
};

/** Records trials of suspects in a queue of the namespace (T6). */
export class AmqpTrials implements Trials {
  readonly #document: SharedDocument<TrialRecords>;
  readonly #retryOnReconnect: <T>(action: () => Promise<T>) => Promise<T>;

  constructor(names: Names, access: DocumentAccess, retryOnReconnect: <T>(action: () => Promise<T>) => Promise<T>) {
    this.#document = new SharedDocument(names.trials, trialsKind, access);
    this.#retryOnReconnect = retryOnReconnect;
  }

  async begin(useCase: string, eventId: string, trial: string): Promise<number> {
    // Recorded once, also where a connection is lost and it is not known whether it is.
    const isOther = (each: TrialRecord) => each.trial !== trial;
    const records = await this.#retryOnReconnect(() =>
      this.#document.change((before) => [...before.filter(isOther), { useCase, eventId, trial }].slice(-MAX_RECORDS)),
    );
    return records.filter((each) => isOther(each) && isOf(each, useCase, eventId)).length;
  }

  /** Forgets all records of a use case. */
  async forget(useCase: string): Promise<void> {
    const isIts = (each: TrialRecord) => each.useCase === useCase;
    await this.#document.change((before) => (before.some(isIts) ? before.filter((each) => !isIts(each)) : before));
  }

  /** Resolves when no change is under way any more. Never rejects. */
  idle(): Promise<void> {
    return this.#document.idle();
  }

  async end(useCase: string, eventId: string, trial?: string): Promise<void> {
    const ended = (each: TrialRecord) => isOf(each, useCase, eventId) && (trial === undefined || each.trial === trial);
    await this.#retryOnReconnect(() =>
      this.#document.change((before) => (before.some(ended) ? before.filter((each) => !ended(each)) : before)),
    );
  }
}

function isOf(record: TrialRecord, useCase: string, eventId: string): boolean {
  return record.useCase === useCase && record.eventId === eventId;
}

function isRecord(value: unknown): value is TrialRecord {
  const { useCase, eventId, trial } = Object(value) as Record<string, unknown>;
  return [useCase, eventId, trial].every((each) => typeof each === "string");
}
