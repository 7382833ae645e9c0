import type {
  Administration,
  Capabilities,
  Clock,
  Connection,
  ConnectionStatus,
  ConnectOptions,
  DeadLetterStore,
  Declarations,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  SubscribeOptions,
  Subscription,
  Trials,
  Unconfirmed,
} from "@papa-events/core/transport";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import { processClock } from "../process-clock.ts";
import { networkAdministration, networkDeadLetters } from "./administration.ts";
import { networkDeclarations, networkTrials } from "./bookkeeping.ts";
import type { BrokerConnection } from "./broker-connection.ts";
import { Consumer } from "./consumer.ts";
import type { Network } from "./network.ts";
import type { Link } from "./pipe.ts";
import { publishAtBroker } from "./publishing.ts";

/**
 * One app's connection to the broker in memory. Consuming, publishing and the rest have a way each, on which messages keep
 * their order; the three overtake one another.
 */
export class NetworkConnection implements Connection {
  readonly capabilities: Capabilities;
  readonly clock: Clock;
  readonly declarations: Declarations;
  readonly trials: Trials | undefined;
  readonly administration: Administration | undefined;
  readonly #network: Network;
  readonly #process: SimulatedProcess;
  readonly #inner: BrokerConnection;
  readonly #options: ConnectOptions;
  readonly #consuming: Link;
  readonly #publishing: Link;
  readonly #rest: Link;
  readonly #consumers: Consumer[] = [];
  #connected = true;
  #closed = false;
  /** Counts the connections that were lost, as the broker knows, and as the app does. */
  #losses = 0;
  #knownLosses = 0;

  constructor(
    network: Network,
    process: SimulatedProcess,
    inner: BrokerConnection,
    options: ConnectOptions,
    consuming: Link,
  ) {
    this.#network = network;
    this.#process = process;
    this.#inner = inner;
    this.#options = options;
    this.#consuming = consuming;
    this.#publishing = network.link(process);
    this.#rest = network.link(process);
    const { atomicOutputs, addressedForwarding, declarationsComplete } = network.plan;
    this.capabilities = { ...inner.capabilities, atomicOutputs, addressedForwarding, declarationsComplete };
    this.clock = processClock(network, process);
    this.declarations = networkDeclarations(network, process, inner, options.appName, this.#rest);
    this.administration = inner.administration && networkAdministration(inner.administration, this.#rest);
    this.trials = inner.trials && networkTrials(network, process, inner.trials, this.#rest, () => this.#closed);
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return this.#publishing.call(() =>
      publishAtBroker(this.#network, this.#process, this.#inner, events, this.#connected && !this.#closed),
    );
  }

  async subscribe(useCase: string, options: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription> {
    return this.#consuming.call(async () => {
      const consumer = new Consumer({
        network: this.#network,
        process: this.#process,
        inner: this.#inner,
        link: this.#consuming,
        useCase,
        losses: () => this.#losses,
        knownLosses: () => this.#knownLosses,
      });
      await consumer.begin(options, onDelivery);
      this.#consumers.push(consumer);
      return consumer;
    });
  }

  deadLetters(useCase: string): DeadLetterStore {
    return networkDeadLetters(this.#network, useCase, this.#inner.deadLetters(useCase), this.#rest);
  }

  inspect(useCase: string): Promise<QueueStats> {
    return this.#rest.call(() => this.#inner.inspect(useCase));
  }

  /** Settlements given so far go before it, on the same way. */
  close(): Promise<void> {
    return this.#consuming.call(async () => {
      await Promise.all(this.#consumers.map((consumer) => consumer.settled()));
      this.#takeBack("closed");
      await this.#inner.close();
    });
  }

  /** Its process has been killed. */
  sever(): void {
    this.#takeBack("died");
    this.#inner.sever();
  }

  /** Loses or restores it, at the broker; the app learns of it later. */
  setConnected(connected: boolean): void {
    if (this.#closed || connected === this.#connected) return;
    this.#connected = connected;
    if (!connected) {
      this.#losses += 1;
      this.#network.history.add({ kind: "takes back", process: this.#process.name, because: "cut" });
    }
    this.#inner.setConnected(connected);
  }

  /** Tells the app what the broker's connection says of itself. */
  passOn(status: ConnectionStatus): void {
    const losses = this.#losses;
    this.#consuming.down.send(() => {
      if (losses > this.#knownLosses)
        this.#network.history.add({ kind: "learns that it is", process: this.#process.name, losses });
      this.#knownLosses = losses;
      this.#options.onStatus(status);
    });
  }

  #takeBack(because: "died" | "closed"): void {
    if (this.#closed) return;
    this.#closed = true;
    // One that was late and is not needed any more has nothing.
    if (because === "closed" && this.#consumers.length === 0) return;
    this.#network.history.add({ kind: "takes back", process: this.#process.name, because });
  }
}
