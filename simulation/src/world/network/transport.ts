import { PapaError } from "@papa-events/core";
import type { Connection, ConnectOptions } from "@papa-events/core/transport";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import type { Way } from "../way.ts";
import { asBrokerConnection } from "./broker-connection.ts";
import { NetworkConnection } from "./connection.ts";
import type { Network } from "./network.ts";

/** The way of one process to the broker in memory, over a network on which things happen. */
export class NetworkTransport implements Way {
  readonly name = "simulated";
  readonly #connections: NetworkConnection[] = [];
  readonly #network: Network;
  readonly #process: SimulatedProcess;

  constructor(network: Network, process: SimulatedProcess) {
    this.#network = network;
    this.#process = process;
  }

  sever(): void {
    for (const connection of this.#connections) connection.sever();
  }

  setConnected(connected: boolean): void {
    for (const connection of this.#connections) connection.setConnected(connected);
  }

  connect(options: ConnectOptions): Promise<Connection> {
    const network = this.#network;
    const link = network.link(this.#process);
    return link.call(async () => {
      if (network.weather.outage)
        throw new PapaError(
          "connection-failed",
          "The simulated broker cannot be reached.",
          { transport: this.name },
          { retryable: true },
        );
      const { appName, logger, maxHeldBytes, onProblem } = options;
      let connection: NetworkConnection | undefined;
      const inner = await network.broker.connect({
        appName,
        logger,
        maxHeldBytes,
        onProblem,
        onStatus: (status) => connection?.passOn(status),
      });
      connection = new NetworkConnection(network, this.#process, asBrokerConnection(inner), options, link);
      this.#connections.push(connection);
      return connection;
    });
  }
}
