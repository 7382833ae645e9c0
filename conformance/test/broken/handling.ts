import type { Delivery } from "@papa-events/core/transport";
import { retryOf } from "./living.ts";
import { isJson } from "./publishing.ts";
import { changed, DONE, deliveries, later, onLoss, redirected, settlements, type Variant, variant } from "./variant.ts";

/** Faults of handing out, settling, reconnecting and stopping. */
export const handlingFaults: readonly Variant[] = [
  deliveries("H1", "acknowledges before the handler", () => (delivery, hand) => {
    hand(redirected(delivery, async () => "stored"));
    void delivery.settle(DONE);
  }),

  settlements("H1", "loses what a handler returned", (settlement, delivery) =>
    delivery.settle(settlement.kind === "done" ? DONE : settlement),
  ),

  settlements(
    "H1",
    "publishes what a handler returned although the event is no longer its own",
    async (settlement, delivery, connection) => {
      if (settlement.kind === "done" && settlement.outputs.length > 0) await connection.publish(settlement.outputs);
      return delivery.settle(settlement.kind === "done" ? DONE : settlement);
    },
  ),

  variant(
    "H1 each event is handed out once, though",
    "hands an event out again where that changes readAhead",
    () => (connection) => ({
      subscribe: async (useCase, options, onDelivery) => {
        let current: Delivery | undefined;
        const subscription = await connection.subscribe(useCase, options, (delivery) => {
          current = delivery;
          onDelivery(delivery);
          current = undefined;
        });
        return {
          readAhead: (limit) => {
            const again = current;
            current = undefined;
            if (again !== undefined) onDelivery(again);
            subscription.readAhead(limit);
          },
          stop: () => subscription.stop(),
        };
      },
    }),
  ),

  variant("H2", "ignores readAhead", () => (connection) => ({
    subscribe: async (useCase, { declaration }, onDelivery) => {
      const subscription = await connection.subscribe(useCase, { readAhead: 1_000, declaration }, onDelivery);
      return { readAhead: () => {}, stop: () => subscription.stop() };
    },
  })),

  deliveries("H3", "hands an event out again when its handler is slow", () => (delivery, hand) => {
    let settled = false;
    const copy = redirected(delivery, (settlement) => {
      settled = true;
      return delivery.settle(settlement);
    });
    hand(copy);
    later(500, () => {
      if (!settled) hand(copy);
    });
  }),

  deliveries("H5", "throws away what is not JSON", () => (delivery, hand) => {
    if (isJson(delivery.event.body)) hand(delivery);
    else void delivery.settle(DONE);
  }),

  deliveries("H6", "gives an event a new id at each delivery", () => {
    let count = 0;
    return (delivery, hand) => {
      count += 1;
      const { event } = delivery;
      const other = changed(event, { headers: { ...event.headers, ce_id: `delivery-${count}` } });
      hand(redirected(delivery, (settlement) => delivery.settle(settlement), { event: other }));
    };
  }),

  deliveries("H6", "forgets the user's headers", () => (delivery, hand) => {
    const { event } = delivery;
    const headers = Object.fromEntries(Object.entries(event.headers).filter(([name]) => /^(ce_|papa_)/.test(name)));
    hand(redirected(delivery, (settlement) => delivery.settle(settlement), { event: changed(event, { headers }) }));
  }),

  deliveries("H6", "gives a retried event the use case's name", () => (delivery, hand, useCase) => {
    const event = delivery.attempt > 1 ? changed(delivery.event, { name: useCase }) : delivery.event;
    hand(redirected(delivery, (settlement) => delivery.settle(settlement), { event }));
  }),

  deliveries("L5", "drops what has no header of the library", () => (delivery, hand) => {
    if (delivery.event.headers.ce_id === undefined) void delivery.settle(DONE);
    else hand(delivery);
  }),

  variant("L2", "drops what was not started on stop", () => (connection) => {
    const open = new Set<Delivery>();
    return {
      subscribe: (useCase, options, onDelivery) =>
        connection.subscribe(useCase, options, (delivery) => {
          open.add(delivery);
          onDelivery(
            redirected(delivery, (settlement) => {
              open.delete(delivery);
              return delivery.settle(settlement.kind === "release" ? DONE : settlement);
            }),
          );
        }),
      close: async () => {
        await Promise.all([...open].map((delivery) => delivery.settle(DONE)));
        await connection.close();
      },
    };
  }),

  settlements("L2", "does not flush acknowledgements on stop", async (settlement, delivery) => {
    later(20, () => delivery.settle(settlement));
    return "stored";
  }),

  settlements("L10", "does not flush acknowledgements on stop", async (settlement, delivery) => {
    later(20, () => delivery.settle(settlement));
    return "stored";
  }),

  settlements("L2", "counts a return at stop as a retry", (settlement, delivery) => {
    if (settlement.kind !== "release") return delivery.settle(settlement);
    return delivery.settle(retryOf(delivery));
  }),

  variant("L3", "consumes no more after a lost connection", () => (connection, options) => {
    let lost = false;
    onLoss(options, () => {
      lost = true;
    });
    return {
      subscribe: (useCase, options, onDelivery) =>
        connection.subscribe(useCase, options, (delivery) => {
          if (!lost) onDelivery(delivery);
        }),
    };
  }),

  variant("L3", "applies a stale acknowledgement to what has its number now", () => (connection, options) => {
    let tags = 0;
    onLoss(options, () => {
      tags = 0;
    });
    return {
      subscribe: (useCase, options, onDelivery) => {
        const current = new Map<number, Delivery>();
        return connection.subscribe(useCase, options, (delivery) => {
          tags += 1;
          const tag = tags;
          current.set(tag, delivery);
          onDelivery(
            redirected(delivery, async (settlement) => (await current.get(tag)?.settle(settlement)) ?? "lost"),
          );
        });
      },
    };
  }),

  settlements(
    "L3 after a loss that is longer than any lease",
    "publishes the outputs of a settlement that came too late",
    async (settlement, delivery, connection) => {
      const settled = await delivery.settle(settlement);
      if (settled === "lost" && settlement.kind === "done") await connection.publish(settlement.outputs);
      return settled;
    },
  ),

  settlements(
    "L3 after a loss that is longer than any lease",
    "says of a settlement that came too late that it is stored",
    async (settlement, delivery) => {
      await delivery.settle(settlement);
      return "stored";
    },
  ),

  variant("L3", "does not notify that the connection is lost", () => (_, options) => {
    Object.assign(options, { onStatus: () => {} });
    return {};
  }),

  deliveries("H10", "gives an event the trace of the one before", () => {
    let before: unknown;
    return (delivery, hand) => {
      const { event } = delivery;
      const headers = { ...event.headers, ...(before === undefined ? {} : { traceparent: before }) };
      before = event.headers.traceparent ?? before;
      hand(redirected(delivery, (settlement) => delivery.settle(settlement), { event: changed(event, { headers }) }));
    };
  }),
];
