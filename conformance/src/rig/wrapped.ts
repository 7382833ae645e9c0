import type {
  Administration,
  Connection,
  DeadLetterStore,
  DeclarationRecord,
  Declarations,
  Delivery,
  Transport,
} from "@papa-events/core/transport";

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
    administration: connection.administration,
    publish: (events) => connection.publish(events),
    subscribe: (useCase, options, onDelivery) => connection.subscribe(useCase, options, onDelivery),
    deadLetters: (useCase) => connection.deadLetters(useCase),
    inspect: (useCase) => connection.inspect(useCase),
    close: () => connection.close(),
    ...changed,
  };
}

/** Dead letters that are others but for some members. */
export function wrappedStore(letters: DeadLetterStore, changed: Partial<DeadLetterStore>): DeadLetterStore {
  return {
    count: () => letters.count(),
    list: (query) => letters.list(query),
    get: (id) => letters.get(id),
    scan: (order, signal) => letters.scan(order, signal),
    redrive: (which, revive, progress) => letters.redrive(which, revive, progress),
    purge: (which, progress) => letters.purge(which, progress),
    ...changed,
  };
}

/** What operators do, done otherwise. */
export function wrappedAdministration(inner: Administration, changed: Partial<Administration>): Administration {
  return {
    useCases: () => inner.useCases(),
    paused: () => inner.paused(),
    pause: (useCase) => inner.pause(useCase),
    resume: (useCase) => inner.resume(useCase),
    remove: (useCase, deadLetters) => inner.remove(useCase, deadLetters),
    tail: (patterns, listener) => inner.tail(patterns, listener),
    diagnose: () => inner.diagnose(),
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
