import { HEADER, type Logger } from "@papa-events/core/transport";
import { Backoff } from "../client/backoff.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { FetchedRecord } from "../wire/records.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";

export interface UnreadableEventsOptions {
  readonly publisher: Publisher;
  readonly logger: Logger;
  /** Called with what keeps it from being stored, and with nothing when it is. */
  readonly onTried: (problem?: unknown) => void;
}

/**
 * Passes on what cannot be read of the delay topic, as its bytes and without a name, so that use cases make a dead letter of it:
 * it may be damaged at the broker, and whoever looks for these events finds them there.
 */
export class UnreadableEvents {
  readonly #options: UnreadableEventsOptions;

  constructor(options: UnreadableEventsOptions) {
    this.#options = options;
  }

  /** Tries until all use cases have it, and resolves to `true`, or to `false` once it is somebody else's to pass on. */
  async passOn(
    record: FetchedRecord,
    { topic, partition }: TopicPartition,
    useCases: readonly string[],
    abandoned: () => boolean,
  ): Promise<boolean> {
    const { publisher, logger, onTried } = this.#options;
    const { offset, value, unreadable: problem } = record;
    logger.error(
      { topic, partition, offset, problem, useCases },
      "Waiting events cannot be read; what is there of them becomes a dead letter of each of these use cases.",
    );
    const again = { key: null, value, headers: { [HEADER.id]: `${topic}-${partition}-${offset}` } };
    const backoff = new Backoff();
    for (let left = useCases; left.length > 0; ) {
      const problems = await publisher.requeue(left.map((useCase) => ({ useCase, record: again })));
      left = left.filter((_, index) => problems[index] !== undefined);
      onTried(problems.find((each) => each !== undefined));
      if (left.length > 0) await backoff.pause();
      if (left.length > 0 && abandoned()) return false;
    }
    return true;
  }
}
