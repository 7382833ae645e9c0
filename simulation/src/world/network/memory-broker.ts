import type { QueueStats } from "@papa-events/core";
import type { Connection } from "@papa-events/core/transport";
import type { EventPlan } from "../../plan/plan.ts";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import { bodyOf } from "../payloads.ts";
import type { Broker, Way } from "../way.ts";
import type { Network } from "./network.ts";
import { noteStored } from "./publishing.ts";
import { NetworkTransport } from "./transport.ts";

/** The memory transport's broker, and the network before it. */
export class MemoryBroker implements Broker {
  readonly holdsMore = false;
  readonly #network: Network;
  /** A connection of its own, to which nothing happens. */
  #observer: Promise<Connection> | undefined;

  constructor(network: Network) {
    this.#network = network;
  }

  wayOf(process: SimulatedProcess): Way {
    return new NetworkTransport(this.#network, process);
  }

  async dropIn(events: readonly EventPlan[]): Promise<void> {
    const connection = await this.#connection();
    const encoded = events.map((event) => {
      const { name, label: id, headers } = event;
      return { name, id, time: this.#network.scheduler.now, headers, body: Buffer.from(bodyOf(event)) };
    });
    noteStored(this.#network, "a stranger", encoded, "publish");
    await connection.publish(encoded);
  }

  async inspect(useCase: string): Promise<QueueStats | undefined> {
    try {
      return await (await this.#connection()).inspect(useCase);
    } catch {
      return undefined;
    }
  }

  forget(): void {}

  #connection(): Promise<Connection> {
    return (this.#observer ??= this.#network.broker.connect(OBSERVER));
  }
}

const OBSERVER = {
  appName: "observer",
  logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  maxHeldBytes: 1,
  onStatus: () => {},
  onProblem: () => {},
};
