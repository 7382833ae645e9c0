import type { Connection } from "@papa-events/core/transport";

/** A connection that is another one but for some members. */
export function forwarding(connection: Connection, changed: Partial<Connection>): Connection {
  return {
    capabilities: connection.capabilities,
    clock: connection.clock,
    declarations: connection.declarations,
    trials: connection.trials,
    publish: (events) => connection.publish(events),
    subscribe: (useCase, options, onDelivery) => connection.subscribe(useCase, options, onDelivery),
    deadLetters: (useCase) => connection.deadLetters(useCase),
    inspect: (useCase) => connection.inspect(useCase),
    close: () => connection.close(),
    ...changed,
  };
}
