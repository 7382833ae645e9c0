import {
  type Delivery,
  type EncodedEvent,
  type OnDelivery,
  readAttempt,
  type Settled,
  type Settlement,
  type SubscribeOptions,
  type Subscription,
  sizeOf,
} from "@papa-events/core/transport";
import type { EventNote, SettlementNote } from "../../history/entry.ts";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import type { BrokerConnection } from "./broker-connection.ts";
import { copied, NetworkDelivery } from "./delivery.ts";
import type { Network } from "./network.ts";
import type { Link } from "./pipe.ts";
import { noteStored } from "./publishing.ts";
import { isRefusedForGood, refusedForGood, refusedForNow } from "./refusals.ts";

export interface ConsumerOptions {
  readonly network: Network;
  readonly process: SimulatedProcess;
  readonly inner: BrokerConnection;
  readonly link: Link;
  readonly useCase: string;
  /** How often the connection was lost, as the broker knows, and as the app does. */
  readonly losses: () => number;
  readonly knownLosses: () => number;
}

/** One app's consumption of one use case, over the network. */
export class Consumer implements Subscription {
  readonly #options: ConsumerOptions;
  /** Settlements that take the broker more than one step. */
  readonly #settling = new Set<Promise<unknown>>();
  #subscription: Subscription | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
  }

  /** At the broker. */
  async begin(options: SubscribeOptions, onDelivery: OnDelivery): Promise<void> {
    const { network, process, inner, useCase } = this.#options;
    const { readAhead, declaration } = options;
    this.#subscription = await inner.subscribe(useCase, options, (delivery) => this.#deliver(delivery, onDelivery));
    network.history.add({ kind: "subscribes", process: process.name, useCase, declaration, readAhead });
  }

  readAhead(limit: number): void {
    const { network, process, link, useCase } = this.#options;
    link.up.send(() => {
      network.history.add({ kind: "reads ahead", process: process.name, useCase, limit });
      this.#subscription?.readAhead(limit);
    });
  }

  stop(): Promise<void> {
    const { network, process, link, useCase } = this.#options;
    return link.call(async () => {
      network.history.add({ kind: "unsubscribes", process: process.name, useCase });
      await this.#subscription?.stop();
    });
  }

  /** Resolves when the broker has done all that it was asked for so far. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling);
  }

  #deliver(delivery: Delivery, onDelivery: OnDelivery): void {
    const { network, process, link, useCase, losses, knownLosses } = this.#options;
    const number = network.nextDelivery();
    const event = network.note(delivery.event);
    network.history.add({
      kind: "delivers",
      process: process.name,
      useCase,
      delivery: number,
      event,
      attempt: delivery.attempt,
      redeliveries: delivery.redeliveries,
      bytes: sizeOf(delivery.event),
    });
    const epoch = losses();
    const arriving = new NetworkDelivery(
      delivery,
      network.plan.copies ? copied(delivery.event) : delivery.event,
      () => epoch < knownLosses(),
      (settlement) => this.#settle(number, event, delivery, settlement),
    );
    link.down.send(() => onDelivery(arriving));
  }

  #settle(number: number, event: EventNote, delivery: Delivery, settlement: Settlement): Promise<Settled> {
    const { network, process, link, useCase } = this.#options;
    // A dead process decides nothing.
    if (process.dead) return new Promise(() => {});
    const note = this.#noteOf(settlement);
    const about = { process: process.name, useCase, delivery: number, event, settlement: note };
    const bytes = settlement.kind === "done" ? settlement.outputs.reduce((sum, output) => sum + sizeOf(output), 0) : 0;
    network.history.add({ kind: "settles", ...about, bytes });
    return link.call(() => {
      const settling = this.#settleAtBroker(about, delivery, settlement).finally(() => this.#settling.delete(settling));
      this.#settling.add(settling);
      return settling;
    });
  }

  async #settleAtBroker(
    about: { process: string; useCase: string; delivery: number; event: EventNote; settlement: SettlementNote },
    delivery: Delivery,
    settlement: Settlement,
  ): Promise<Settled> {
    const { network, process, inner } = this.#options;
    const { history, weather, plan } = network;
    const storesNothing =
      settlement.kind === "release" || (settlement.kind === "done" && settlement.outputs.length === 0);
    if (!storesNothing && !delivery.lost) {
      if (isRefusedForGood(settlement, (output) => network.planOf(output))) {
        history.add({ kind: "settled", ...about, result: "refused for good" });
        throw refusedForGood();
      }
      if (weather.refuses("settlements")) {
        history.add({ kind: "settled", ...about, result: "refused" });
        throw refusedForNow();
      }
    }
    let applied = settlement;
    if (settlement.kind === "done" && settlement.outputs.length > 0 && !delivery.lost) {
      noteStored(network, process.name, settlement.outputs, "settlement");
      if (!plan.atomicOutputs) {
        await inner.publish(settlement.outputs);
        await network.later();
        applied = { kind: "done", outputs: [] };
      }
    }
    if (settlement.kind === "forward" && !plan.addressedForwarding) applied = { ...settlement, to: undefined };
    const settled = delivery.settle(applied);
    const result = await settled;
    history.add({ kind: "settled", ...about, result });
    return result;
  }

  #noteOf(settlement: Settlement): SettlementNote {
    const { network } = this.#options;
    const noteOf = (event: EncodedEvent) => network.note(event);
    switch (settlement.kind) {
      case "done":
        return { kind: "done", outputs: settlement.outputs.map(noteOf) };
      case "retry":
        return { kind: "retry", delay: settlement.delay, attempt: readAttempt(settlement.event.headers) };
      case "forward": {
        const { delay, event, to } = settlement;
        const { addressedForwarding } = network.plan;
        return {
          kind: "forward",
          delay,
          attempt: readAttempt(event.headers),
          to: addressedForwarding ? to : undefined,
        };
      }
      case "dead":
        return {
          kind: "dead",
          letter: settlement.id,
          reason: settlement.event.headers.papa_reason ?? "",
        };
      case "release":
        return { kind: "release" };
    }
  }
}
