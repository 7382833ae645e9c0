import type { DeadLetterItem, DeadLetterReason, EventContext, PapaAppOptions, Wrap } from "@papa-events/core";
import type { Counts, CountsByUseCase } from "./counts.ts";
import type { Run } from "./run.ts";

/** What happened in one use case, by the key of each event, so that a duplicate counts once. */
interface Happened {
  readonly handled: Set<string>;
  readonly retried: Set<string>;
  readonly dead: Map<string, DeadLetterReason>;
  /** What was wrong with the first dead letter of each reason. */
  readonly complaints: Map<DeadLetterReason, string>;
  /** Milliseconds from when the event was published to the end of its handler. */
  readonly latencies: number[];
  duplicates: number;
}

/** Counts what happens to the events of a run, by the hooks that every app offers. */
export class Tally {
  /** Grows with everything that is counted. */
  progress = 0;
  readonly #run: Run;
  readonly #useCases: ReadonlyMap<string, Happened>;

  constructor(run: Run, useCases: readonly string[]) {
    this.#run = run;
    this.#useCases = new Map(useCases.map((useCase) => [useCase, nothing()]));
  }

  /** Options for the app whose use cases are counted. */
  get hooks(): Pick<PapaAppOptions, "wrap" | "onRetry" | "onDeadLetter"> {
    return {
      wrap: this.#aroundHandler,
      onRetry: (context) => this.#add(context, (happened, key) => happened.retried.add(key)),
      onDeadLetter: (item) => this.#add(item, (happened, key) => addDead(happened, key, item)),
    };
  }

  get counts(): CountsByUseCase {
    return Object.fromEntries([...this.#useCases].map(([useCase, happened]) => [useCase, countsOf(happened)]));
  }

  /** What was wrong with the first dead letter of a reason. */
  complaint(useCase: string, reason: string): string {
    return this.#useCases.get(useCase)?.complaints.get(reason as DeadLetterReason) ?? "";
  }

  /** Sorted. */
  latencies(useCase: string): readonly number[] {
    return [...(this.#useCases.get(useCase)?.latencies ?? [])].sort((a, b) => a - b);
  }

  /** How many events have been handled once more than needed, which "at least once" allows. */
  get duplicates(): number {
    return [...this.#useCases.values()].reduce((sum, { duplicates }) => sum + duplicates, 0);
  }

  readonly #aroundHandler: Wrap = async (context, next) => {
    const result = await next();
    this.#add(context, (happened, key) => {
      if (happened.handled.has(key)) {
        happened.duplicates += 1;
        return;
      }
      happened.handled.add(key);
      happened.latencies.push(Date.now() - context.time.getTime());
    });
    return result;
  };

  #add(about: EventContext | DeadLetterItem, count: (happened: Happened, key: string) => void): void {
    const key = this.#run.keyOf(about.eventName, about.headers);
    const happened = this.#useCases.get(about.useCase);
    if (key === undefined || happened === undefined) return;
    count(happened, key);
    this.progress += 1;
  }
}

function addDead({ dead, complaints }: Happened, key: string, { reason, error }: DeadLetterItem): void {
  dead.set(key, reason);
  if (!complaints.has(reason)) complaints.set(reason, error.message);
}

function nothing(): Happened {
  return {
    handled: new Set(),
    retried: new Set(),
    dead: new Map(),
    complaints: new Map(),
    latencies: [],
    duplicates: 0,
  };
}

function countsOf({ handled, retried, dead }: Happened): Counts {
  const reasons: Partial<Record<DeadLetterReason, number>> = {};
  let delivered = handled.size;
  for (const [key, reason] of dead) {
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    if (!handled.has(key)) delivered += 1;
  }
  for (const key of retried) {
    if (!handled.has(key) && !dead.has(key)) delivered += 1;
  }
  return { delivered, handled: handled.size, retried: retried.size, dead: reasons };
}
