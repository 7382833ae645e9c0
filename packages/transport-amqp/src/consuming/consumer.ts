import type { OnDelivery, Settled, Settlement } from "@papa-events/core/transport";
import type { Channel, ConsumeMessage, Message } from "amqplib";
import { closeChannel } from "../client/close-channel.ts";
import { flushAcknowledgements } from "../client/flush-acknowledgements.ts";
import { type Origin, readMessage } from "../wire/received-message.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { BrokerConsumer } from "./broker-consumer.ts";
import { AmqpDelivery, type DeliveryOwner } from "./delivery.ts";
import type { OwnLosses } from "./own-losses.ts";
import { Returns } from "./returns.ts";
import type { Settlements } from "./settlements.ts";
import { Tasks } from "./tasks.ts";

const STORED: Promise<Settled> = Promise.resolve("stored");
const LOST: Promise<Settled> = Promise.resolve("lost");

export interface ConsumerOptions {
  readonly useCase: string;
  readonly origin: Origin;
  readonly settlements: Settlements;
  readonly losses: OwnLosses;
  readonly onDelivery: OnDelivery;
  /** Whether a declaration of the use case matches a name. Asked where a binding may have brought what none does; that is dropped. */
  readonly accepts: (name: string) => Promise<boolean>;
  /** Called once, when the broker cancels the consumer or closes the channel, with why. */
  readonly onEnd: (reason: string) => void;
}

/** Consumes one queue on one channel. When the channel ends, so does everything that belongs to it. */
export class Consumer implements DeliveryOwner {
  readonly #options: ConsumerOptions;
  readonly #channel: Channel;
  readonly #acks: Acknowledgements;
  readonly #broker: BrokerConsumer;
  readonly #returns: Returns;
  readonly #tasks = new Tasks();
  /** Deliveries beyond the prefetch, which come while it changes: the broker then hands out the old one and the new. */
  readonly #excess: AmqpDelivery[] = [];
  /** Deliveries that the core has not settled, in no order: a settled one's place is taken by the last. */
  readonly #unsettled: AmqpDelivery[] = [];
  #alive = true;
  #cancelled = false;
  #closing = false;
  #changing: Promise<void> = Promise.resolve();

  constructor(channel: Channel, options: ConsumerOptions) {
    const { settlements, useCase, origin } = options;
    this.#channel = channel;
    this.#options = options;
    this.#acks = new Acknowledgements(channel);
    this.#broker = new BrokerConsumer(channel, origin.queue, this.#acks, (message) => this.#onMessage(message));
    this.#returns = new Returns({
      acks: this.#acks,
      storeCopy: (delivery) => settlements.storeCopy(useCase, delivery),
    });
    let reason = "its channel was closed";
    channel.on("error", (error: Error) => {
      reason = error.message;
    });
    channel.on("close", () => this.#end(reason));
  }

  /** Whether deliveries can still be settled. */
  get alive(): boolean {
    return this.#alive && !this.#closing;
  }

  get prefetch(): number {
    return this.#broker.prefetch;
  }

  /** Counts the deliveries that are not settled. */
  get unsettled(): number {
    return this.#unsettled.length + this.#excess.length;
  }

  /** Consumes with this prefetch from now on. Rejects if the broker refuses it or the channel ends. */
  consume(prefetch: number): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#cancelled) return;
      await this.#broker.begin(prefetch);
      this.#deliverExcess();
    });
  }

  /** Takes no more deliveries, and then gives back what is released; what is out can still be settled. Never rejects. */
  cancel(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#cancelled) return;
      await this.#broker.end().catch(() => {});
      this.#cancelled = true;
      for (const delivery of this.#excess.splice(0)) void this.#returns.add(delivery);
      void this.#returns.endPause();
    });
  }

  /** Stores and acknowledges what is settled, then gives the rest back. Never rejects. */
  async close(): Promise<void> {
    await this.cancel();
    this.#closing = true;
    await this.#returns.endPause();
    await this.#tasks.ended();
    for (const delivery of this.#unsettled) void this.#returns.add(delivery);
    await this.#returns.endPause();
    if (!this.#alive) return;
    this.#acks.flush();
    try {
      await flushAcknowledgements(this.#channel, this.#options.origin.queue);
      this.#alive = false;
      await closeChannel(this.#channel);
    } catch {
      // The channel is gone already, and the broker redelivers all of it.
    }
    this.#drop();
  }

  settle(delivery: AmqpDelivery, settlement: Settlement): Promise<Settled> {
    if (!this.alive) return LOST;
    if (settlement.kind === "done" && settlement.outputs.length === 0) {
      this.#ack(delivery);
      return STORED;
    }
    return this.#tasks.run(settlement.kind === "release" ? this.#release(delivery) : this.#store(delivery, settlement));
  }

  async #store(delivery: AmqpDelivery, settlement: Exclude<Settlement, { kind: "release" }>): Promise<Settled> {
    const { settlements, useCase } = this.#options;
    if (!(await settlements.store(useCase, settlement, delivery.received, () => this.#alive))) return "lost";
    if (this.#alive) this.#ack(delivery);
    return "stored";
  }

  /** A release stores nothing: at worst the broker returns the delivery itself. */
  async #release(delivery: AmqpDelivery): Promise<Settled> {
    await this.#returns.add(delivery);
    this.#settled(delivery);
    return "stored";
  }

  #ack(delivery: AmqpDelivery): void {
    this.#settled(delivery);
    this.#acks.ack(delivery.received.message);
  }

  #settled(delivery: AmqpDelivery): void {
    const last = this.#unsettled.pop();
    if (last !== undefined && last !== delivery) {
      this.#unsettled[delivery.index] = last;
      last.index = delivery.index;
    }
    this.#broker.finished(delivery.tag);
    if (this.#excess.length > 0) queueMicrotask(() => this.#deliverExcess());
  }

  /** Acknowledges what never reaches the core. */
  #drain(message: Message): void {
    this.#broker.finished(message.fields.deliveryTag);
    this.#acks.ack(message);
  }

  /** Must not throw: amqplib would close the channel. */
  #onMessage(message: ConsumeMessage | null): void {
    if (message === null)
      this.#end("the broker cancelled it; its queue was deleted or moved, or a handler outran consumer_timeout");
    if (message === null || !this.#alive) return;
    const received = readMessage(message, this.#options.origin);
    if (received.kind === "leaked") {
      this.#drain(message);
      return;
    }
    const explained = received.redeliveries === 0 ? 0 : this.#options.losses.count;
    const delivery = new AmqpDelivery(received, this, explained);
    if (received.worn) void this.#tasks.run(this.#renew(delivery));
    else if (received.kind === "doubtful") void this.#tasks.run(this.#decide(delivery));
    else this.#deliver(delivery);
  }

  /** Replaces a message that the broker may soon destroy by a copy. */
  async #renew(delivery: AmqpDelivery): Promise<void> {
    const { settlements, useCase } = this.#options;
    const copied = await settlements.renew(useCase, delivery, () => this.#alive).catch(() => false);
    if (!this.#alive) return;
    if (copied) this.#drain(delivery.received.message);
    else this.#deliver(delivery);
  }

  /** Drops what no declaration of the use case matches. */
  async #decide(delivery: AmqpDelivery): Promise<void> {
    const accepted = await this.#options.accepts(delivery.event.name ?? "").catch(() => true);
    if (!this.#alive) return;
    if (accepted) this.#deliver(delivery);
    else this.#drain(delivery.received.message);
  }

  #deliver(delivery: AmqpDelivery): void {
    // In order: those that wait already go first.
    if (this.#cancelled) void this.#returns.add(delivery);
    else if (this.#unsettled.length >= this.prefetch || this.#excess.length > 0) this.#excess.push(delivery);
    else this.#handOver(delivery);
  }

  #deliverExcess(): void {
    while (this.#alive && !this.#cancelled && this.#unsettled.length < this.prefetch) {
      const delivery = this.#excess.shift();
      if (delivery === undefined) return;
      this.#handOver(delivery);
    }
  }

  #handOver(delivery: AmqpDelivery): void {
    delivery.index = this.#unsettled.length;
    this.#unsettled.push(delivery);
    this.#options.onDelivery(delivery);
  }

  /** Runs changes of the consumer one after another. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const changing = this.#changing.then(change);
    this.#changing = changing.catch(() => {});
    return changing;
  }

  #drop(): void {
    this.#acks.drop();
    this.#returns.drop();
    this.#tasks.lose();
  }

  #end(reason: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    if (this.#broker.used) this.#options.losses.add();
    this.#drop();
    for (const delivery of this.#unsettled) delivery.tellLost(reason);
    this.#options.onEnd(reason);
    // After a cancel by the broker the channel stays open, with deliveries that would never be settled.
    void closeChannel(this.#channel);
  }
}
