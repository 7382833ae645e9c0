import { PapaError } from "@papa-events/core";
import type { Delivery, Settlement } from "@papa-events/core/transport";
import { wrapped } from "../../src/rig/wrapped.ts";
import { changed, deliveries, later, publishing, redirected, settlements, type Variant } from "./variant.ts";

/** Faults that do not stay with their event, and bounds that do not hold. */
export const neighbourFaults: readonly Variant[] = [
  deliveries("H8", "hands everything out again when one settlement is large", () => {
    const open = new Set<Delivery>();
    return (delivery, hand) => {
      open.add(delivery);
      hand(
        redirected(delivery, (settlement) => {
          open.delete(delivery);
          if (isLarge(settlement)) for (const other of open) hand(redirected(other, async () => "lost"));
          return delivery.settle(settlement);
        }),
      );
    };
  }),

  publishing("H8", "refuses a whole call for one of its events", () => async (events, connection) => {
    if (events.length === 1 || !events.some(({ name }) => name === "faulty")) return connection.publish(events);
    return events.map((_, index) => ({ index, error: new Error("one of them is refused") }));
  }),

  deliveries("H8", "lets acknowledgements wait behind a large settlement", () => {
    let stuck: Promise<void> = Promise.resolve();
    return (delivery, hand) =>
      hand(
        redirected(delivery, async (settlement) => {
          if (isLarge(settlement)) stuck = new Promise((resolve) => later(20_000, resolve));
          else await stuck;
          return delivery.settle(settlement);
        }),
      );
  }),

  deliveries("L7", "lets acknowledgements wait behind what a full broker refuses", () => {
    let refused: Promise<unknown> = Promise.resolve();
    return (delivery, hand) =>
      hand(
        redirected(delivery, async (settlement) => {
          await refused;
          const settled = delivery.settle(settlement);
          refused = settled.catch(() => new Promise<void>((resolve) => later(20_000, resolve)));
          return settled;
        }),
      );
  }),

  settlements("L7", "drops the outputs that a full broker refuses", (settlement, delivery) =>
    delivery.settle(settlement).catch(() => delivery.settle({ kind: "done", outputs: [] })),
  ),

  publishing("L7", "confirms what a full broker refuses", () => async (events, connection) => {
    await connection.publish(events);
    return [];
  }),

  publishing("L7", "says of what a full broker refuses for now that it is refused for good", () => {
    return async (events, connection) => {
      const unconfirmed = await connection.publish(events);
      return unconfirmed.map(({ index }) => ({ index, error: new Error("there is no room") }));
    };
  }),

  settlements("H9", "frees a place before the outcome is stored", async (settlement, delivery) => {
    const settled = await delivery.settle(settlement);
    await new Promise<void>((resolve) => later(50, resolve));
    return settled;
  }),

  {
    rule: "H9",
    fault: "hands out any number of bytes, and as many deliveries as it was ever allowed",
    around: (inner) =>
      wrapped(
        {
          name: inner.name,
          connect: (options) => inner.connect({ ...options, maxHeldBytes: Number.MAX_SAFE_INTEGER }),
        },
        (connection) => ({
          subscribe: async (...args) => {
            const subscription = await connection.subscribe(...args);
            return { readAhead: () => {}, stop: () => subscription.stop() };
          },
        }),
      ),
  },

  settlements("D5", "never takes a dead letter that is large", async (settlement, delivery) => {
    if (settlement.kind !== "dead" || !isLarge(settlement)) return delivery.settle(settlement);
    throw new PapaError("connection-failed", "It is too large.", { transport: "memory" }, { retryable: true });
  }),

  settlements("D5", "cuts the payload of a dead letter that is large", (settlement, delivery) => {
    if (settlement.kind !== "dead") return delivery.settle(settlement);
    const { event } = settlement;
    const cut = changed(event, { body: event.body.slice(0, 1_000_000), text: undefined });
    return delivery.settle({ ...settlement, event: cut });
  }),
];

function isLarge(settlement: Settlement): boolean {
  if (settlement.kind !== "retry" && settlement.kind !== "dead") return false;
  const { headers } = settlement.event;
  return Object.keys(headers).length > 1_000 || Object.values(headers).some((value) => value.length > 16_384);
}
