import type {
  Administration,
  Connection,
  ConnectOptions,
  DeadLetterStore,
  Delivery,
  EncodedEvent,
  ReceivedEvent,
  Selection,
  Settled,
  Settlement,
  StoredDeadLetter,
  Transport,
} from "@papa-events/core/transport";
import type { Description } from "../../src/description.ts";
import { redirected, wrappedAdministration, wrappedConnection, wrappedStore } from "../../src/rig/wrapped.ts";

export { redirected };

/** A transport with one fault, and the rule whose test has to catch it. */
export interface Variant {
  readonly fault: string;
  /** The rule's id, or the first words of the test's name where only one test is about it. */
  readonly rule: string;
  readonly around: (inner: Transport) => Transport;
  /** What the fault needs of the description that the one of memory does not offer. */
  readonly description?: Partial<Description>;
}

/** Changes of a connection; called once per connection. */
type Change = (connection: Connection, options: ConnectOptions) => Partial<Connection>;

/** @param prepare called once per broker, so that connections can share a state */
export function variant(rule: string, fault: string, prepare: () => Change): Variant {
  return { fault, rule, around: (inner) => withChange(inner, prepare()) };
}

function withChange(inner: Transport, change: Change): Transport {
  return {
    name: inner.name,
    connect: async (options) => {
      // The change may listen to the connection's state, which it gets by putting a listener into these options.
      const listened = { ...options };
      const connection = await inner.connect({
        ...options,
        onStatus: (status) => listened.onStatus(status),
        onProblem: (subject, problem) => listened.onProblem(subject, problem),
      });
      return wrappedConnection(connection, change(connection, listened));
    },
  };
}

/** Calls `act` whenever the connection is lost, before the app is told. */
export function onLoss(options: ConnectOptions, act: () => void): void {
  const { onStatus } = options;
  Object.assign(options, {
    onStatus: (status: Parameters<typeof onStatus>[0]) => {
      if (!status.connected) act();
      onStatus(status);
    },
  });
}

/** What a faulty transport makes of a delivery: another one, several, or none. */
export type Deliver = (
  delivery: Delivery,
  hand: (delivery: Delivery) => void,
  useCase: string,
  connection: Connection,
) => void;

/** A fault in how events are handed out. */
export function deliveries(rule: string, fault: string, prepare: () => Deliver): Variant {
  return variant(rule, fault, () => {
    const deliver = prepare();
    return (connection) => ({
      subscribe: (useCase, options, onDelivery) =>
        connection.subscribe(useCase, options, (delivery) => deliver(delivery, onDelivery, useCase, connection)),
    });
  });
}

/** A fault in how settlements are carried out. */
export function settlements(
  rule: string,
  fault: string,
  settle: (settlement: Settlement, inner: Delivery, connection: Connection) => Promise<Settled>,
): Variant {
  return deliveries(rule, fault, () => (delivery, hand, _, connection) => {
    hand(redirected(delivery, (settlement) => settle(settlement, delivery, connection)));
  });
}

/** A fault in publishing. */
export function publishing(
  rule: string,
  fault: string,
  prepare: () => (events: readonly EncodedEvent[], connection: Connection) => ReturnType<Connection["publish"]>,
): Variant {
  return variant(rule, fault, () => {
    const publish = prepare();
    return (connection) => ({ publish: (events) => publish(events, connection) });
  });
}

/** A fault in the dead letters. */
export function store(
  rule: string,
  fault: string,
  prepare: () => (letters: DeadLetterStore, connection: Connection) => Partial<DeadLetterStore>,
): Variant {
  return variant(rule, fault, () => {
    const change = prepare();
    return (connection) => ({
      deadLetters: (useCase) => {
        const letters = connection.deadLetters(useCase);
        return wrappedStore(letters, change(letters, connection));
      },
    });
  });
}

/** Whether a selection is about a letter. */
export function isMeant(which: Selection, letter: StoredDeadLetter): boolean {
  return typeof which === "function" ? which(letter) : which === "all" || which.includes(letter.id);
}

/** A fault in what operators do. */
export function administration(
  rule: string,
  fault: string,
  prepare: () => (inner: Administration, connection: Connection, options: ConnectOptions) => Partial<Administration>,
): Variant {
  return variant(rule, fault, () => {
    const change = prepare();
    return (connection, options) => {
      const inner = connection.administration;
      return inner === undefined
        ? {}
        : { administration: wrappedAdministration(inner, change(inner, connection, options)) };
    };
  });
}

/** An event that is another one but for some members. Spread alone, it would lose those that it makes when asked. */
export function changed<E extends ReceivedEvent>(event: E, other: Partial<E>): E {
  const { name, id, time, headers, body } = event;
  return { ...event, name, id, time, headers, body, ...other };
}

export const DONE: Settlement = { kind: "done", outputs: [] };

/** Later, without keeping the process alive. */
export function later(milliseconds: number, act: () => unknown): void {
  setTimeout(act, milliseconds).unref();
}

/** What a faulty transport reports where a sound one would not. */
export class Fault extends Error {}
