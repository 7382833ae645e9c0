/** The consumer group of each queue. */
export const GROUP = "papa";
/** The field of a queue's entry that holds a packed event. */
export const EVENT_FIELD = "e";
/** The consumer that holds what was handed back. It never lives, so that whoever lives takes over from it. */
export const RELEASED = "released";

/** The keys of one use case. */
export interface UseCaseKeys {
  /** Stream: the events to be handled; the group's pending list holds those that are. */
  readonly queue: string;
  /**
   * Sorted set: consumer -> when its lease ends, in milliseconds by the server's clock. Negative once it has ended and
   * somebody has taken over from it: what the consumer still holds may be taken over from that time on.
   */
  readonly leases: string;
  /** Sorted set: id -> when a waiting event is due, by the server's clock. */
  readonly due: string;
  /** Hash: id -> waiting event. */
  readonly waiting: string;
  /** Hash: id -> dead letter. */
  readonly dead: string;
  /** Sorted set: id of a dead letter -> when it died, in microseconds; no two are equal. */
  readonly deadOrder: string;
}

/**
 * The names of all keys of a namespace. They share one hash tag, so that all are on one shard of a cluster and one script
 * may use any of them.
 */
export class Keys {
  readonly #tag: string;

  /** @param prefix the namespace, or nothing */
  constructor(prefix: string) {
    this.#tag = prefix === "" ? "{papa-events}" : `{papa-events:${prefix}}`;
  }

  /** String: changes to a value never had before whenever a pattern is bound or unbound. */
  get version(): string {
    return `${this.#tag}:version`;
  }

  /** Hash: `<use case> <pattern>` -> when it was last shown, in milliseconds by the server's clock. */
  get bindings(): string {
    return `${this.#tag}:bindings`;
  }

  /** Stream: where other programs add events. */
  get inbox(): string {
    return `${this.#tag}:inbox`;
  }

  /** Stream: entries of the inbox that have no event name. */
  get refused(): string {
    return `${this.#tag}:inbox:refused`;
  }

  queue(useCase: string): string {
    return `${this.#tag}:queue:${useCase}`;
  }

  of(useCase: string): UseCaseKeys {
    const key = (what: string) => `${this.#tag}:${what}:${useCase}`;
    return {
      queue: this.queue(useCase),
      leases: key("leases"),
      due: key("due"),
      waiting: key("waiting"),
      dead: key("dead"),
      deadOrder: key("dead-order"),
    };
  }
}
