import { shardTag } from "./shard-tag.ts";

/** The consumer group of each queue. */
export const GROUP = "papa";
/** The field of a queue entry that holds a packed event. */
export const EVENT_FIELD = "e";
/**
 * The consumer that holds released entries. It never has a lease, so any living consumer takes over from it. With the id of
 * a declaration after it (`released <id>`), it holds entries for consumers of that declaration, as long as one of them lives.
 */
export const RELEASED_CONSUMER = "released";

/**
 * Names a consumer: `<app>:<instance>:<length of its lease in milliseconds> <declaration>`. No app's name has a space in the
 * server's lists.
 */
export function consumerName(appName: string, instance: string, lease: number, declaration: string): string {
  return `${appName}:${instance}:${lease} ${declaration}`;
}

/** The keys of one use case. */
export interface UseCaseKeys {
  /** Stream: the events to be handled. The group's pending list holds those that are being handled. */
  readonly queue: string;
  /**
   * Sorted set: consumer -> when its lease ends, in milliseconds by the server's clock. Negative once the lease has ended
   * and another consumer has taken over from it: what it still holds may be taken over from that time on.
   */
  readonly leases: string;
  /** Sorted set: id -> when a waiting event is due, in milliseconds by the server's clock. */
  readonly due: string;
  /** Hash: id -> waiting event. */
  readonly waiting: string;
  /** Hash: id -> dead letter. */
  readonly dead: string;
  /** Sorted set: id of a dead letter -> when it was stored, in microseconds. No two are equal. */
  readonly deadOrder: string;
  /** Hash: id of an event -> when its latest trial began, in milliseconds by the server's clock, and all trials not taken back. */
  readonly trials: string;
}

/** The keys of one tail. They expire when nobody reads it any more. */
export interface TailKeys {
  /** Stream: the events to be shown. */
  readonly stream: string;
  /** Hash: for how many more bytes there is `room`, and how many events were `dropped` because there was none. */
  readonly state: string;
}

/**
 * Names all keys of a namespace, or of one shard of it. They share one hash tag, so all are on one shard of a cluster and one
 * script may use any of them.
 */
export class Keys {
  readonly #tag: string;

  /**
   * @param prefix the namespace, or an empty string
   * @param shard which one, from 0; the first one's keys are called as those of a namespace without shards
   * @param shards how many there are
   */
  constructor(prefix: string, shard = 0, shards = 1) {
    const namespace = prefix === "" ? "papa-events" : `papa-events:${prefix}`;
    this.#tag = `{${shard === 0 ? namespace : shardTag(namespace, shard, shards)}}`;
  }

  /** String: how many shards the namespace has. Of the first shard only, and missing where it is the only one. */
  get shards(): string {
    return `${this.#tag}:shards`;
  }

  /** String: gets a value never used before whenever a pattern is bound or unbound. */
  get version(): string {
    return `${this.#tag}:version`;
  }

  /** Hash: `<use case> <pattern>` -> when an instance last declared it, by the namespace's own time. */
  get bindings(): string {
    return `${this.#tag}:bindings`;
  }

  /** Hash: `<use case> <id> <app>` -> when an instance last declared it, as above, and its patterns. */
  get declarations(): string {
    return `${this.#tag}:declarations`;
  }

  /** Hash: use case -> when it was removed, in milliseconds by the server's clock. */
  get removed(): string {
    return `${this.#tag}:removed`;
  }

  /** Hash: use case -> when it was last declared, as above; every use case that there is, also without a pattern. */
  get useCases(): string {
    return `${this.#tag}:use-cases`;
  }

  /** Hash: use case -> since when it is paused, as above. */
  get paused(): string {
    return `${this.#tag}:paused`;
  }

  /** Hash: tail -> when it ends unless it is renewed, as above, and its patterns. It expires with the last one. */
  get tails(): string {
    return `${this.#tag}:tails`;
  }

  /** Begins the name of every key about this namespace. */
  get prefix(): string {
    return `${this.#tag}:`;
  }

  /** The keys of one tail. */
  forTail(id: string): TailKeys {
    const stream = `${this.#tag}:tail:${id}`;
    return { stream, state: `${stream}:state` };
  }

  /** Hash: the namespace's own time in milliseconds (`steady`), and the server's clock when that was last counted on. */
  get clock(): string {
    return `${this.#tag}:clock`;
  }

  /** Stream: events that other programs add. */
  get inbox(): string {
    return `${this.#tag}:inbox`;
  }

  /** String: until when which app reads the inbox. */
  get inboxReader(): string {
    return `${this.#tag}:inbox:reader`;
  }

  /** Stream: entries of the inbox that have no event name. */
  get refused(): string {
    return `${this.#tag}:inbox:refused`;
  }

  /** Hash: slot -> number of the latest call of one publisher that was carried out in it. It expires when nobody renews it. */
  calls(publisher: string): string {
    return `${this.#tag}:calls:${publisher}`;
  }

  queue(useCase: string): string {
    return `${this.#tag}:queue:${useCase}`;
  }

  forUseCase(useCase: string): UseCaseKeys {
    const key = (kind: string) => `${this.#tag}:${kind}:${useCase}`;
    return {
      queue: this.queue(useCase),
      leases: key("leases"),
      due: key("due"),
      waiting: key("waiting"),
      dead: key("dead"),
      deadOrder: key("dead-order"),
      trials: key("trials"),
    };
  }
}
