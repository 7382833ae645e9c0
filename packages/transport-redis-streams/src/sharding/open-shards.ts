import type { Connection, ConnectOptions } from "@papa-events/core/transport";
import { otherShards } from "../client/errors.ts";
import type { Target } from "../client/options.ts";
import { Keys } from "../wire/keys.ts";
import type { OpenShard, ShardConnection } from "./shard.ts";
import { ShardedConnection } from "./sharded-connection.ts";
import { SharedNotices } from "./shared-notices.ts";

/**
 * Connects to a namespace, whatever number of shards it has.
 *
 * @throws PapaError `topology-conflict` where it has another number than the app is set to; as one shard's connection does
 */
export async function openShards(target: Target, options: ConnectOptions, open: OpenShard): Promise<Connection> {
  const notices = new SharedNotices(options);
  const first = await open(notices.of(0), new Keys(target.prefix));
  const opened: [ShardConnection, ...ShardConnection[]] = [first];
  try {
    const shards = await first.countShards();
    // An operator looks at what there is.
    const wanted = options.operator === true ? shards : (target.shards ?? shards);
    if (shards !== wanted) throw otherShards(new Keys(target.prefix).shards, shards, wanted);
    if (shards === 1) return first;
    first.noteShards(shards);
    const others = Array.from({ length: shards - 1 }, async (_, index) => {
      const shard = index + 1;
      const keys = new Keys(target.prefix, shard, shards);
      opened[shard] = await open(notices.of(shard), keys);
    });
    // All of them: what is opened after an error would stay open.
    const failed = (await Promise.allSettled(others)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
    for (const each of opened) each.shareHeldBytes(shards);
    return new ShardedConnection(opened);
  } catch (error) {
    await Promise.all(opened.map((each) => each?.close()));
    throw error;
  }
}
