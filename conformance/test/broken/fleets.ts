import type { Subscription, Trials } from "@papa-events/core/transport";
import { settlements, type Variant, variant } from "./variant.ts";

/** Faults between the instances of a use case: who gets what, and who is blamed for a death. */
export const fleetFaults: readonly Variant[] = [
  variant("R8", "gives nothing to an instance that joins later", () => {
    const first = new Map<string, object>();
    return (connection) => ({
      subscribe: async (useCase, options, onDelivery): Promise<Subscription> => {
        if (!first.has(useCase)) first.set(useCase, connection);
        if (first.get(useCase) === connection) return connection.subscribe(useCase, options, onDelivery);
        return { readAhead: () => {}, stop: async () => {} };
      },
    });
  }),

  variant("L10", "gives nothing to an instance that joins later", () => {
    const first = new Map<string, object>();
    return (connection) => ({
      subscribe: async (useCase, options, onDelivery): Promise<Subscription> => {
        if (!first.has(useCase)) first.set(useCase, connection);
        if (first.get(useCase) === connection) return connection.subscribe(useCase, options, onDelivery);
        return { readAhead: () => {}, stop: async () => {} };
      },
    });
  }),

  settlements("R6", "says that it can address what it forwards, and leaves it to chance", (settlement, delivery) =>
    delivery.settle(settlement.kind === "forward" ? { ...settlement, to: undefined, delay: 500 } : settlement),
  ),

  settlements(
    "R6 what was forwarded to an instance that",
    "keeps for it what was forwarded to one that is gone",
    (settlement, delivery) =>
      delivery.settle(settlement.kind === "forward" ? { ...settlement, to: undefined, delay: 60_000 } : settlement),
  ),

  variant("R8 idle instances that read far ahead", "gives all to whoever reads far ahead", () => {
    let greedy: object | undefined;
    return (connection) => ({
      subscribe: async (useCase, options, onDelivery): Promise<Subscription> => {
        if (options.readAhead < 50) return connection.subscribe(useCase, options, onDelivery);
        greedy ??= connection;
        if (greedy === connection) return connection.subscribe(useCase, options, onDelivery);
        return { readAhead: () => {}, stop: async () => {} };
      },
    });
  }),

  trials("condemns the neighbours of an event that kills", (inner) => ({
    begin: (useCase, _, trial) => inner.begin(useCase, "any", trial),
    end: (useCase, _, trial) => (trial === undefined ? Promise.resolve() : inner.end(useCase, "any", trial)),
  })),

  trials("never takes a trial back", (inner) => ({
    begin: (useCase, eventId, trial) => inner.begin(useCase, eventId, trial),
    end: async () => {},
  })),

  trials("forgets the trials of the dead", () => ({ begin: async () => 0, end: async () => {} })),
];

function trials(fault: string, change: (inner: Trials) => Trials): Variant {
  return variant("T6", fault, () => (connection) => ({ trials: connection.trials && change(connection.trials) }));
}
