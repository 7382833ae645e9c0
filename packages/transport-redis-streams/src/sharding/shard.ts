import type {
  Administration,
  Connection,
  ConnectOptions,
  OnDelivery,
  SubscribeOptions,
  Subscription,
  Trials,
} from "@papa-events/core/transport";
import type { ReadAhead } from "../consuming/read-ahead.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import type { Keys } from "../wire/keys.ts";

/** How one shard of several is connected. */
export interface ShardConnectOptions extends ConnectOptions {
  /** Whether a removed use case has yet to be told of: each shard finds that out for itself. */
  readonly isFirstToTell?: ((useCase: string) => boolean) | undefined;
}

/** The connection to a namespace, or to one shard of it. */
export interface ShardConnection extends Connection {
  readonly administration: Administration;
  readonly trials: Trials;
  /** @param shared what it shares its read-ahead with, if it does */
  subscribe(
    useCase: string,
    options: SubscribeOptions,
    onDelivery: OnDelivery,
    shared?: ReadAhead,
  ): Promise<Subscription>;
  /** @param maxPageBytes of events in one page */
  deadLetters(useCase: string, maxPageBytes?: number): DeadLetters;
  /** Leaves other shards their part of what the app may hold. To be called before the first use case is subscribed. */
  shareHeldBytes(shards: number): void;
  /** Sees to it that the number of shards stays noted on the server. To be called of the first shard, if there are several. */
  noteShards(shards: number): void;
  /**
   * How many shards the namespace has, or is to have: an app that is set to a number sets it where there are no use cases yet.
   *
   * @throws PapaError
   */
  countShards(): Promise<number>;
}

/** Connects to one shard. */
export type OpenShard = (options: ShardConnectOptions, keys: Keys) => Promise<ShardConnection>;
