import type { EncodedEvent } from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import type { BindingCache } from "../declarations/bindings.ts";
import { FanOut } from "../publishing/fan-out.ts";
import { BINDINGS_CHANGED } from "../scripts/fragments/fan-out.ts";
import type { Argument } from "../scripts/script.ts";
import { settleWithOutputs } from "../scripts/settle-with-outputs.ts";
import { GROUP, type UseCaseKeys } from "../wire/keys.ts";
import type { StreamDelivery } from "./delivery.ts";
import { repeated } from "./settlement-batch.ts";
import type { SettleReply } from "./settlement-sender.ts";

export interface OutputStoreOptions {
  readonly keys: UseCaseKeys;
  readonly connection: ReconnectingConnection;
  /** The key of the bindings' version. */
  readonly version: string;
  readonly bindings: BindingCache;
}

/** Outputs of a delivery to store in one step. */
export interface Outputs {
  readonly delivery: StreamDelivery;
  readonly outputs: readonly EncodedEvent[];
  /** Whether others of the same delivery follow. If not, it is acknowledged in the same step. */
  readonly more: boolean;
}

/** Runs the script that stores outputs, with the bindings as they are. */
export async function storeOutputs(
  all: readonly Outputs[],
  consumer: string,
  { keys, connection, version, bindings }: OutputStoreOptions,
): Promise<SettleReply> {
  for (;;) {
    const current = await bindings.get();
    const fanOut = new FanOut(version, keys.queue, keys.leases);
    const args: Argument[] = [current.version, GROUP, consumer];
    for (const { delivery, outputs, more } of all) {
      const before = args.push(delivery.entry, repeated(delivery), more ? 1 : 0, 0);
      fanOut.append(outputs, current, args);
      args[before - 1] = args.length - before;
    }
    const reply = await connection.run(settleWithOutputs, fanOut.keys, args);
    if (reply !== BINDINGS_CHANGED) return toSettleReply(reply);
    bindings.drop(current);
  }
}

/** Reads the reply of the scripts that settle. */
export function toSettleReply(reply: unknown): SettleReply {
  const [leaseEnded, ...lost] = reply as number[];
  return { leaseEnded: leaseEnded === 1, lost };
}
