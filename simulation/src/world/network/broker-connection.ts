import type { Connection } from "@papa-events/core/transport";

/** A connection of the memory transport, with what its transport does to all of its connections at once. */
export interface BrokerConnection extends Connection {
  /** As if the process were killed. */
  sever(): void;
  /** Loses or restores the connection. */
  setConnected(connected: boolean): void;
}

/** @throws Error when the memory transport's connections are no longer made so */
export function asBrokerConnection(connection: Connection): BrokerConnection {
  const { sever, setConnected } = connection as Partial<BrokerConnection>;
  if (typeof sever === "function" && typeof setConnected === "function") return connection as BrokerConnection;
  throw new Error("A connection of the memory transport has sever() and setConnected() no more.");
}
