import type { Delivery, Transport } from "@papa-events/core/transport";
import { pause } from "./until.ts";
import { redirected, wrapped } from "./wrapped.ts";

/** Watches, through a spied connection, what an app has been handed and what of it is not stored yet (H9). */
export interface Holding {
  readonly transport: Transport;
  /** By how many deliveries a use case has ever held more than its `readAhead`. */
  readonly mostOver: number;
  /** The most deliveries of one use case at once. */
  readonly mostDeliveries: number;
  /** The most bytes of bodies at once, those of outputs included. */
  readonly mostBytes: number;
}

/** @param slower how much longer each settlement takes, in milliseconds, as on a slow broker */
export function holding(inner: Transport, { slower = 0 }: { readonly slower?: number } = {}): Holding {
  const most = { over: 0, deliveries: 0, bytes: 0 };
  let bytes = 0;
  const hold = (size: number) => {
    bytes += size;
    most.bytes = Math.max(most.bytes, bytes);
  };
  const transport = wrapped(inner, (connection) => ({
    subscribe: async (useCase, options, onDelivery) => {
      // The broker may still act on an old limit for a while: what counts is the most that was ever asked for.
      let limit = options.readAhead;
      let held = 0;
      const onStored = () => {
        held -= 1;
      };
      const subscription = await connection.subscribe(useCase, options, (delivery) => {
        held += 1;
        most.deliveries = Math.max(most.deliveries, held);
        most.over = Math.max(most.over, held - limit);
        hold(delivery.event.body.length);
        onDelivery(watched(delivery, { slower, hold, onStored }));
      });
      return {
        readAhead: (next) => {
          limit = Math.max(limit, next);
          subscription.readAhead(next);
        },
        stop: () => subscription.stop(),
      };
    },
  }));
  return {
    transport,
    get mostOver() {
      return most.over;
    },
    get mostDeliveries() {
      return most.deliveries;
    },
    get mostBytes() {
      return most.bytes;
    },
  };
}

interface Watcher {
  readonly slower: number;
  readonly hold: (bytes: number) => void;
  readonly onStored: () => void;
}

function watched(delivery: Delivery, { slower, hold, onStored }: Watcher): Delivery {
  return redirected(delivery, async (settlement) => {
    const outputs = settlement.kind === "done" ? settlement.outputs : [];
    const size = outputs.reduce((sum, { body }) => sum + body.length, 0);
    hold(size);
    if (slower > 0) await pause(slower);
    try {
      const settled = await delivery.settle(settlement);
      // Its place is free from now on, and not before.
      hold(-delivery.event.body.length);
      onStored();
      return settled;
    } finally {
      hold(-size);
    }
  });
}
