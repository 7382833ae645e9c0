import type { SimulatedSocket } from "./socket.ts";

/** How long a client waits for a connection that it ends, as `ioredis` does. */
const DISCONNECT_TIMEOUT_MS = 2_000;

/** Makes what `ioredis` takes as its `Connector`: a way to the server that is no socket of the system. */
export function connectorTo(connect: () => SimulatedSocket) {
  return class SimulatedConnector {
    firstError?: Error;
    #socket: SimulatedSocket | undefined;

    check(): boolean {
      return true;
    }

    async connect(): Promise<SimulatedSocket> {
      this.#socket = connect();
      return this.#socket;
    }

    disconnect(): void {
      const socket = this.#socket;
      if (socket === undefined) return;
      const timer = setTimeout(() => socket.destroy(), DISCONNECT_TIMEOUT_MS);
      socket.on("close", () => clearTimeout(timer));
      socket.end();
    }
  };
}
