import type { Connection, DeclarationRecord, Declarations, Delivery, Transport } from "@papa-events/core/transport";

/** A transport whose connections are others but for some members. */
export function wrapped(inner: Transport, change: (connection: Connection) => Partial<Connection>): Transport {
  return {
    name: inner.name,
    connect: async (options) => {
      const connection = await inner.connect(options);
      return wrappedConnection(connection, change(connection));
    },
  };
}

/** A connection that is another one but for some members. */
export function wrappedConnection(connection: Connection, changed: Partial<Connection>): Connection {
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

/** A delivery that settles otherwise. */
export function redirected(
  delivery: Delivery,
  settle: Delivery["settle"],
  other: Partial<Pick<Delivery, "event" | "attempt" | "redeliveries">> = {},
): Delivery {
  const { event, attempt, redeliveries } = delivery;
  return {
    event,
    attempt,
    redeliveries,
    ...other,
    get lost() {
      return delivery.lost;
    },
    settle,
  };
}

/** Declarations that are declared otherwise. */
export function declaring(inner: Declarations, declare: Declarations["declare"]): Declarations {
  function list(useCase: string): Promise<readonly DeclarationRecord[]>;
  function list(useCase?: undefined): Promise<readonly DeclarationRecord[] | undefined>;
  function list(useCase?: string): Promise<readonly DeclarationRecord[] | undefined> {
    return useCase === undefined ? inner.list() : inner.list(useCase);
  }
  return {
    declare,
    list,
    withdraw: (useCase, patterns, idle) => inner.withdraw(useCase, patterns, idle),
  };
}
