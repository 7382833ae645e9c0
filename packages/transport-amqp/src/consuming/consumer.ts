import type { OnDelivery, Settled, Settlement } from "@papa-events/core/transport";
import type { Channel, ConsumeMessage } from "amqplib";
import { closeChannel } from "../client/close-channel.ts";
import { flushAcknowledgements } from "../client/flush-acknowledgements.ts";
import { type Origin, type ReceivedMessage, readMessage } from "../wire/received-message.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { AmqpDelivery, type DeliveryOwner } from "./delivery.ts";
import type { Settlements } from "./settlements.ts";

const STORED: Promise<Settled> = Promise.resolve("stored");
const LOST: Promise<Settled> = Promise.resolve("lost");
/** RabbitMQ's prefetch is 16 bits. */
const MAX_PREFETCH = 65_535;

export interface ConsumerOptions {
  readonly useCase: string;
  readonly origin: Origin;
  readonly settlements: Settlements;
  readonly onDelivery: OnDelivery;
  /** Whether a declaration of the use case matches its own name; if none does, events of that name are dropped. */
  readonly acceptsOwnName: () => Promise<boolean>;
  /** Called once, when the broker cancels the consumer or closes the channel. */
  readonly onEnd: () => void;
}

/** Consumes one queue on one channel. When the channel ends, so does everything that belongs to it. */
export class Consumer implements DeliveryOwner {
  readonly #options: ConsumerOptions;
  readonly #channel: Channel;
  readonly #acks: Acknowledgements;
  /** The settlements that are being stored. */
  readonly #storing = new Set<Promise<void>>();
  /** Deliveries beyond the prefetch, which come when it changes: see {@link consume}. */
  readonly #excess: AmqpDelivery[] = [];
  #consumerTag: string | undefined;
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

  get alive(): boolean {
    return this.#alive;
  }

  /** Counts the deliveries that are not settled. */
  get unsettled(): number {
    return this.#unsettled + this.#excess.length;
  }

  /**
   * Consumes with this prefetch from now on. The prefetch of a consumer cannot be changed, and quorum queues do not
   * support one per channel. So another consumer takes over, while the deliveries of the first stay with the channel.
   * For a while the broker hands out the old prefetch and the new one.
   */
  consume(prefetch: number): Promise<void> {
    this.#changing = this.#changing.then(async () => {
      const allowed = Math.min(Math.max(prefetch, 1), MAX_PREFETCH);
      if (!this.#alive || allowed === this.#prefetch) return;
      const before = this.#consumerTag;
      this.#consumerTag = undefined;
      if (before !== undefined) await this.#channel.cancel(before);
      await this.#channel.prefetch(allowed);
      this.#prefetch = allowed;
      this.#acks.prefetch = allowed;
      this.#deliverExcess();
      const { queue } = this.#options.origin;
      const { consumerTag } = await this.#channel.consume(queue, (message) => this.#onMessage(message));
      this.#consumerTag = consumerTag;
    });
    return this.#changing;
  }

  /** Takes no more deliveries; those that are out can still be settled. */
  async cancel(): Promise<void> {
    await this.#changing.catch(() => {});
    this.#excess.length = 0;
    const tag = this.#consumerTag;
    this.#consumerTag = undefined;
    if (tag !== undefined && this.#alive) await this.#channel.cancel(tag).catch(() => {});
  }

  /** Stores and acknowledges what is settled, then returns the rest to the queue. */
  async close(): Promise<void> {
    await this.cancel();
    await Promise.allSettled(this.#storing);
    if (!this.#alive) return;
    this.#acks.flush();
    try {
      await flushAcknowledgements(this.#channel, this.#options.origin.queue);
      this.#alive = false;
      await closeChannel(this.#channel);
    } catch {
      // The channel is gone already, and the broker redelivers all of it.
    }
    this.#acks.drop();
  }

  settle(tag: number, settlement: Settlement): Promise<Settled> {
    if (!this.#alive) return LOST;
    if (settlement.kind === "done" && settlement.outputs.length === 0) {
      this.#ack(tag);
      return STORED;
    }
    if (settlement.kind === "release") {
      this.#settled();
      this.#acks.requeue(tag);
      return STORED;
    }
    const storing = this.#store(settlement).then((stored): Settled => {
      if (!stored) return "lost";
      if (this.#alive) this.#ack(tag);
      return "stored";
    });
    const settled: Promise<void> = storing.then(
      () => void this.#storing.delete(settled),
      () => void this.#storing.delete(settled),
    );
    this.#storing.add(settled);
    return storing;
  }

  #store(settlement: Exclude<Settlement, { kind: "release" }>): Promise<boolean> {
    const { settlements, useCase } = this.#options;
    const isOurs = () => this.#alive;
    switch (settlement.kind) {
      case "done":
        return settlements.storeOutputs(settlement.outputs, isOurs);
      case "retry":
      case "forward":
        return settlements.storeDelayed(useCase, settlement.delay, settlement.event, isOurs);
      case "dead":
        return settlements.storeDead(useCase, settlement.id, settlement.event, isOurs);
    }
  }

  #ack(tag: number): void {
    this.#settled();
    this.#acks.ack(tag);
  }

  #settled(): void {
    this.#unsettled -= 1;
    if (this.#excess.length > 0) queueMicrotask(() => this.#deliverExcess());
  }

  /** Must not throw: amqplib would close the channel. */
  #onMessage(message: ConsumeMessage | null): void {
    // The broker has cancelled the consumer: its queue was deleted, or lost its leader.
    if (message === null) this.#end();
    if (message === null || !this.#alive) return;
    const tag = message.fields.deliveryTag;
    const received = readMessage(message, this.#options.origin);
    if (received.kind === "event") this.#deliver(new AmqpDelivery(received, tag, this));
    else if (received.kind === "leaked") this.#acks.ack(tag);
    else void this.#decideOwnName(received, tag);
  }

  #deliver(delivery: AmqpDelivery): void {
    // In order: those that wait already go first.
    if (this.#unsettled >= this.#prefetch || this.#excess.length > 0) {
      this.#excess.push(delivery);
      return;
    }
    this.#unsettled += 1;
    this.#options.onDelivery(delivery);
  }

  #deliverExcess(): void {
    while (this.#alive && this.#unsettled < this.#prefetch) {
      const delivery = this.#excess.shift();
      if (delivery === undefined) return;
      this.#unsettled += 1;
      this.#options.onDelivery(delivery);
    }
  }

  async #decideOwnName(received: ReceivedMessage, tag: number): Promise<void> {
    const accepted = await this.#options.acceptsOwnName().catch(() => true);
    if (!this.#alive) return;
    if (accepted) this.#deliver(new AmqpDelivery(received, tag, this));
    else this.#acks.ack(tag);
  }

  #end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#acks.drop();
    this.#options.onEnd();
    // After a cancel by the broker the channel stays open, with deliveries that would never be settled.
    void closeChannel(this.#channel);
  }
}
