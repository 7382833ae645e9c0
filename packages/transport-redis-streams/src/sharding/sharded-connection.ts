import type {
  Capabilities,
  Connection,
  DeadLetterStore,
  Declarations,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  SubscribeOptions,
  Subscription,
  Trials,
  Unconfirmed,
} from "@papa-events/core/transport";
import { ReadAhead } from "../consuming/read-ahead.ts";
import { shardOf } from "./choose-shard.ts";
import { ofThoseThatKnow } from "./of-those-that-know.ts";
import type { ShardConnection } from "./shard.ts";
import { ShardedAdministration } from "./sharded-administration.ts";
import { ShardedDeadLetters } from "./sharded-dead-letters.ts";
import { ShardedDeclarations } from "./sharded-declarations.ts";

/** The most events of one `publish` call, however many shards there are. */
const MAX_EVENTS_PER_CALL = 512;

/**
 * One app's way to a namespace that is spread over several hash tags. Each use case has its queue, its waiting retries and its
 * dead letters on all of them. An event goes to the shard that its id chooses and stays there; so do the outputs of its handler,
 * so that they and its acknowledgement are one step.
 */
export class ShardedConnection implements Connection {
  readonly capabilities: Capabilities;
  readonly declarations: Declarations;
  readonly trials: Trials;
  readonly administration: ShardedAdministration;
  readonly #shards: readonly ShardConnection[];

  /** @param shards the connections to all of them, the first shard's first */
  constructor(shards: readonly [ShardConnection, ...ShardConnection[]]) {
    const [first, ...others] = shards;
    const { publishing, ...capabilities } = first.capabilities;
    const eventsPerCall = Math.min(MAX_EVENTS_PER_CALL, publishing.eventsPerCall * shards.length);
    this.#shards = shards;
    this.capabilities = { ...capabilities, publishing: { ...publishing, eventsPerCall } };
    this.declarations = new ShardedDeclarations(shards.map(({ declarations }) => declarations));
    this.administration = new ShardedAdministration([
      first.administration,
      ...others.map(({ administration }) => administration),
    ]);
    const trialsOf = (eventId: string) => (shards[shardOf(eventId, shards.length)] ?? first).trials;
    this.trials = {
      begin: (useCase, eventId, trial) => trialsOf(eventId).begin(useCase, eventId, trial),
      end: (useCase, eventId, trial) => trialsOf(eventId).end(useCase, eventId, trial),
    };
  }

  async publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    const parts = new Map<number, number[]>();
    for (const [index, { id }] of events.entries()) {
      const shard = shardOf(id, this.#shards.length);
      const part = parts.get(shard);
      if (part === undefined) parts.set(shard, [index]);
      else part.push(index);
    }
    const unconfirmed = [...parts].map(async ([shard, indexes]) => {
      const part = indexes.flatMap((index) => events[index] ?? []);
      const left = (await this.#shards[shard]?.publish(part)) ?? [];
      return left.map(({ index, error }) => ({ index: indexes[index] ?? index, error }));
    });
    return (await Promise.all(unconfirmed)).flat();
  }

  async subscribe(useCase: string, options: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription> {
    const shared = new ReadAhead(options.readAhead);
    // All of them: what is opened after an error would stay open.
    const opening = await Promise.allSettled(
      this.#shards.map((shard) => shard.subscribe(useCase, options, onDelivery, shared)),
    );
    const opened = opening.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
    const failed = opening.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") {
      await Promise.all(opened.map((each) => each.stop()));
      throw failed.reason;
    }
    return {
      readAhead: (limit) => {
        shared.limit = limit;
        for (const each of opened) each.readAhead(limit);
      },
      stop: async () => {
        await Promise.all(opened.map((each) => each.stop()));
      },
    };
  }

  deadLetters(useCase: string): DeadLetterStore {
    return new ShardedDeadLetters(useCase, this.#shards);
  }

  async inspect(useCase: string): Promise<QueueStats> {
    const sum = { ready: 0, inFlight: 0, waiting: 0, dead: 0 };
    for (const stats of await ofThoseThatKnow(this.#shards.map((shard) => shard.inspect(useCase)))) {
      sum.ready += stats.ready;
      sum.inFlight += stats.inFlight;
      sum.waiting += stats.waiting;
      sum.dead += stats.dead;
    }
    return sum;
  }

  async close(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.close()));
  }
}
