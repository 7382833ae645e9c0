import type { Connection } from "@papa-events/core/transport";

/** A connection that is another one but for some members. */
export function forwarding(connection: Connection, changed: Partial<Connection>): Connection {
  return {
    capabilities: connection.capabilities,
    clock: connection.clock,
    declare: (useCases) => connection.declare(useCases),
    declarations: (useCase) => connection.declarations(useCase),
    withdraw: (useCase, patterns, idle) => connection.withdraw(useCase, patterns, idle),
    publish: (events) => connection.publish(events),
    subscribe: (useCase, readAhead, onDelivery) => connection.subscribe(useCase, readAhead, onDelivery),
    deadLetters: (useCase) => connection.deadLetters(useCase),
    inspect: (useCase) => connection.inspect(useCase),
    close: () => connection.close(),
    ...changed,
  };
}
