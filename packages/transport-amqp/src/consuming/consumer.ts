import type { OnDelivery, Settlement } from "@papa-events/core/transport";
import type { Channel, ConsumeMessage } from "amqplib";
import { closeChannel } from "../client/close-channel.ts";
import { settleDown } from "../client/flush-acknowledgements.ts";
import { type Arrival, type Origin, readArrival } from "../wire/received-message.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { AmqpDelivery, type DeliveryOwner } from "./delivery.ts";
import type { Storage } from "./settlements.ts";

const STORED = Promise.resolve();
/** RabbitMQ's prefetch is 16 bits. */
const MOST_PREFETCH = 65_535;

export interface ConsumerOptions {
  readonly useCase: string;
  readonly origin: Origin;
  readonly storage: Storage;
  readonly onDelivery: OnDelivery;
  /** Whether a declaration of the use case matches its own name; else what comes under it is forgotten. */
  readonly wantsOwnName: () => Promise<boolean>;
  /** Called once when the broker cancels the consumer or closes the channel. */
  readonly onEnd: () => void;
}

/** One channel that consumes one queue; when it ends, so does everything that belongs to it. */
export class Consumer implements DeliveryOwner {
  readonly #options: ConsumerOptions;
  readonly #channel: Channel;
  readonly #acks: Acknowledgements;
  /** Settlements that are being stored. */
  readonly #storing = new Set<Promise<void>>();
  /** Delivered beyond the limit, which happens when it changes: see {@link consume}. */
  readonly #beyond: AmqpDelivery[] = [];
  #tag: string | undefined;
  #prefetch = 0;
  #unsettled = 0;
  #alive = true;
  #changing: Promise<void> = Promise.resolve();

  constructor(channel: Channel, options: ConsumerOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#acks = new Acknowledgements(channel);
    channel.on("close", () => this.#end());
  }

  /** How many deliveries are out. */
  get unsettled(): number {
    return this.#unsettled + this.#beyond.length;
  }

  /**
   * Consumes with this prefetch from now on. The prefetch of a consumer cannot be changed, and quorum queues know none
   * of a channel's: another consumer takes over, and what the first was handed stays with the channel, so that for a
   * while the broker hands out the old prefetch and the new one.
   */
  consume(prefetch: number): Promise<void> {
    this.#changing = this.#changing.then(async () => {
      const wanted = Math.min(Math.max(prefetch, 1), MOST_PREFETCH);
      if (!this.#alive || wanted === this.#prefetch) return;
      const before = this.#tag;
      this.#tag = undefined;
      if (before !== undefined) await this.#channel.cancel(before);
      await this.#channel.prefetch(wanted);
      this.#prefetch = wanted;
      this.#acks.prefetch = wanted;
      this.#handOverBeyond();
      const { queue } = this.#options.origin;
      const { consumerTag } = await this.#channel.consume(queue, (message) => this.#take(message));
      this.#tag = consumerTag;
    });
    return this.#changing;
  }

  /** Takes no more; what is out can still be settled. */
  async cancel(): Promise<void> {
    await this.#changing.catch(() => {});
    this.#beyond.length = 0;
    const tag = this.#tag;
    this.#tag = undefined;
    if (tag !== undefined && this.#alive) await this.#channel.cancel(tag).catch(() => {});
  }

  /** Stores and acknowledges what is settled, then hands the rest back. */
  async close(): Promise<void> {
    await this.cancel();
    await Promise.allSettled(this.#storing);
    if (!this.#alive) return;
    this.#acks.flush();
    try {
      await settleDown(this.#channel, this.#options.origin.queue);
      this.#alive = false;
      await closeChannel(this.#channel);
    } catch {
      // The channel is gone already, and all of it comes back.
    }
    this.#acks.drop();
  }

  settle(tag: number, settlement: Settlement): Promise<void> {
    if (!this.#alive) return STORED;
    if (settlement.kind === "done" && settlement.outputs.length === 0) {
      this.#ack(tag);
      return STORED;
    }
    if (settlement.kind === "release") {
      this.#settled();
      this.#acks.requeue(tag);
      return STORED;
    }
    const storing = this.#store(settlement).then((stored) => {
      if (stored && this.#alive) this.#ack(tag);
    });
    const settled: Promise<void> = storing.then(
      () => void this.#storing.delete(settled),
      () => void this.#storing.delete(settled),
    );
    this.#storing.add(settled);
    return storing;
  }

  #store(settlement: Exclude<Settlement, { kind: "release" }>): Promise<boolean> {
    const { storage, useCase } = this.#options;
    const mine = () => this.#alive;
    switch (settlement.kind) {
      case "done":
        return storage.outputs(settlement.outputs, mine);
      case "retry":
      case "hand-on":
        return storage.delayed(useCase, settlement.delay, settlement.event, mine);
      case "dead":
        return storage.dead(useCase, settlement.id, settlement.event, mine);
    }
  }

  #ack(tag: number): void {
    this.#settled();
    this.#acks.ack(tag);
  }

  #settled(): void {
    this.#unsettled -= 1;
    if (this.#beyond.length > 0) queueMicrotask(() => this.#handOverBeyond());
  }

  /** Must not throw: amqplib would close the channel. */
  #take(message: ConsumeMessage | null): void {
    // The broker has cancelled the consumer: its queue was deleted, or lost its leader.
    if (message === null) this.#end();
    if (message === null || !this.#alive) return;
    const tag = message.fields.deliveryTag;
    const arrival = readArrival(message, this.#options.origin);
    if (arrival.kind === "event") this.#handOver(new AmqpDelivery(arrival, tag, this));
    else if (arrival.kind === "leaked") this.#acks.ack(tag);
    else void this.#judgeOwnName(arrival, tag);
  }

  #handOver(delivery: AmqpDelivery): void {
    // Nor past those that came before.
    if (this.#unsettled >= this.#prefetch || this.#beyond.length > 0) {
      this.#beyond.push(delivery);
      return;
    }
    this.#unsettled += 1;
    this.#options.onDelivery(delivery);
  }

  #handOverBeyond(): void {
    while (this.#alive && this.#unsettled < this.#prefetch) {
      const delivery = this.#beyond.shift();
      if (delivery === undefined) return;
      this.#unsettled += 1;
      this.#options.onDelivery(delivery);
    }
  }

  async #judgeOwnName(arrival: Arrival, tag: number): Promise<void> {
    const wanted = await this.#options.wantsOwnName().catch(() => true);
    if (!this.#alive) return;
    if (wanted) this.#handOver(new AmqpDelivery(arrival, tag, this));
    else this.#acks.ack(tag);
  }

  #end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#acks.drop();
    this.#options.onEnd();
    // After a cancel by the broker the channel lives on, with deliveries that would never be settled.
    void closeChannel(this.#channel);
  }
}
