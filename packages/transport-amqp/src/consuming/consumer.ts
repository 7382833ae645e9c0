import type { OnDelivery, Settled, Settlement } from "@papa-events/core/transport";
import type { Channel, ConsumeMessage } from "amqplib";
import { closeChannel } from "../client/close-channel.ts";
import { flushAcknowledgements } from "../client/flush-acknowledgements.ts";
import { sleep } from "../client/sleep.ts";
import { type Origin, readMessage } from "../wire/received-message.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { AmqpDelivery, type DeliveryOwner } from "./delivery.ts";
import type { OwnLosses } from "./own-losses.ts";
import { Returns } from "./returns.ts";
import type { Settlements } from "./settlements.ts";

const STORED: Promise<Settled> = Promise.resolve("stored");
const LOST: Promise<Settled> = Promise.resolve("lost");
/** RabbitMQ's prefetch is 16 bits. */
const MAX_PREFETCH = 65_535;
/** If nothing has arrived for so long, nothing is on its way. */
const QUIET_MS = 50;
const QUIET_CHECK_MS = 2;

export interface ConsumerOptions {
  readonly useCase: string;
  readonly origin: Origin;
  readonly settlements: Settlements;
  readonly losses: OwnLosses;
  readonly onDelivery: OnDelivery;
  /** Whether a declaration of the use case matches its own name; if none does, events of that name are dropped. */
  readonly acceptsOwnName: () => Promise<boolean>;
  /** Called once, when the broker cancels the consumer or closes the channel, with why. */
  readonly onEnd: (reason: string) => void;
}

/** Something that is under way and that the end of the channel cuts short. */
interface Task {
  readonly done: Promise<unknown>;
  readonly lose: () => void;
}

/** Consumes one queue on one channel. When the channel ends, so does everything that belongs to it. */
export class Consumer implements DeliveryOwner {
  readonly #options: ConsumerOptions;
  readonly #channel: Channel;
  readonly #acks: Acknowledgements;
  readonly #returns: Returns;
  readonly #tasks = new Set<Task>();
  /** Deliveries beyond the prefetch, which come when it changes: see {@link consume}. */
  readonly #excess: AmqpDelivery[] = [];
  /** Deliveries that the core has not settled, in no order: a settled one's place is taken by the last. */
  readonly #unsettled: AmqpDelivery[] = [];
  #prefetch = 0;
  #consumerTag: string | undefined;
  /** The first delivery of the present consumer, how many it has brought, and how many of them are settled. */
  #firstTag = 1;
  #received = 0;
  #finished = 0;
  #lastTag = 0;
  #lastArrival = 0;
  #alive = true;
  #cancelled = false;
  #closing = false;
  #changing: Promise<void> = Promise.resolve();

  constructor(channel: Channel, options: ConsumerOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#acks = new Acknowledgements(channel);
    const { settlements, useCase } = options;
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
    return this.#prefetch;
  }

  /** Counts the deliveries that are not settled. */
  get unsettled(): number {
    return this.#unsettled.length + this.#excess.length;
  }

  /**
   * Consumes with this prefetch from now on. The prefetch of a consumer cannot be changed, and quorum queues do not
   * support one per channel. So another consumer takes over, while the deliveries of the first stay with the channel.
   * For a while the broker hands out the old prefetch and the new one.
   */
  consume(prefetch: number): Promise<void> {
    return this.#inTurn(async () => {
      const allowed = Math.min(Math.max(prefetch, 1), MAX_PREFETCH);
      if (!this.#alive || this.#cancelled || allowed === this.#prefetch) return;
      await this.#endConsumer();
      await this.#channel.prefetch(allowed);
      this.#prefetch = allowed;
      this.#acks.prefetch = allowed;
      this.#acks.resume();
      this.#firstTag = this.#lastTag + 1;
      this.#received = 0;
      this.#finished = 0;
      this.#deliverExcess();
      const { queue } = this.#options.origin;
      const { consumerTag } = await this.#channel.consume(queue, (message) => this.#onMessage(message));
      this.#consumerTag = consumerTag;
    });
  }

  /** Takes no more deliveries, and then gives back what is released; what is out can still be settled. Never rejects. */
  cancel(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#cancelled) return;
      await this.#endConsumer().catch(() => {});
      this.#cancelled = true;
      this.#acks.resume();
      for (const delivery of this.#excess.splice(0)) void this.#returns.add(delivery);
      void this.#returns.endPause();
    });
  }

  /** Stores and acknowledges what is settled, then gives the rest back. Never rejects. */
  async close(): Promise<void> {
    await this.cancel();
    this.#closing = true;
    await this.#returns.endPause();
    await Promise.allSettled([...this.#tasks].map(({ done }) => done));
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
    return this.#track(settlement.kind === "release" ? this.#release(delivery) : this.#store(delivery, settlement));
  }

  async #store(delivery: AmqpDelivery, settlement: Exclude<Settlement, { kind: "release" }>): Promise<Settled> {
    const { settlements, useCase } = this.#options;
    const isOurs = () => this.#alive;
    if (!(await settlements.store(useCase, settlement, delivery.received, isOurs))) return "lost";
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
    this.#acks.ack(delivery.tag);
  }

  #settled(delivery: AmqpDelivery): void {
    const last = this.#unsettled.pop();
    if (last !== undefined && last !== delivery) {
      this.#unsettled[delivery.index] = last;
      last.index = delivery.index;
    }
    this.#finish(delivery.tag);
    if (this.#excess.length > 0) queueMicrotask(() => this.#deliverExcess());
  }

  #finish(tag: number): void {
    if (tag >= this.#firstTag) this.#finished += 1;
  }

  /** Must not throw: amqplib would close the channel. */
  #onMessage(message: ConsumeMessage | null): void {
    if (message === null) this.#end("the broker cancelled it");
    if (message === null || !this.#alive) return;
    const tag = message.fields.deliveryTag;
    this.#received += 1;
    this.#lastTag = tag;
    this.#lastArrival = performance.now();
    const received = readMessage(message, this.#options.origin);
    if (received.kind === "leaked") {
      this.#drain(tag);
      return;
    }
    const explained = received.redeliveries === 0 ? 0 : this.#options.losses.count;
    const delivery = new AmqpDelivery(received, this, explained);
    if (received.worn) void this.#track(this.#renew(delivery));
    else if (received.kind === "own-name") void this.#track(this.#decideOwnName(delivery));
    else this.#deliver(delivery);
  }

  /** Acknowledges what never reaches the core. */
  #drain(tag: number): void {
    this.#finish(tag);
    this.#acks.ack(tag);
  }

  #deliver(delivery: AmqpDelivery): void {
    // In order: those that wait already go first.
    if (this.#cancelled) void this.#returns.add(delivery);
    else if (this.#unsettled.length >= this.#prefetch || this.#excess.length > 0) this.#excess.push(delivery);
    else this.#handOver(delivery);
  }

  #deliverExcess(): void {
    while (this.#alive && !this.#cancelled && this.#unsettled.length < this.#prefetch) {
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

  /** Replaces a message that the broker may soon destroy by a copy. */
  async #renew(delivery: AmqpDelivery): Promise<void> {
    const { settlements, useCase } = this.#options;
    const copied = await settlements.renew(useCase, delivery, () => this.#alive).catch(() => false);
    if (!this.#alive) return;
    if (copied) this.#drain(delivery.tag);
    else this.#deliver(delivery);
  }

  async #decideOwnName(delivery: AmqpDelivery): Promise<void> {
    const accepted = await this.#options.acceptsOwnName().catch(() => true);
    if (!this.#alive) return;
    if (accepted) this.#deliver(delivery);
    else this.#drain(delivery.tag);
  }

  /**
   * Cancels the broker's consumer, if there is one. RabbitMQ 4 returns, and counts, what is on its way to a consumer that
   * is cancelled. So nothing is acknowledged until the prefetch is used up or the queue is empty, and nothing is on its
   * way.
   */
  async #endConsumer(): Promise<void> {
    const tag = this.#consumerTag;
    if (tag === undefined || !this.#alive) return;
    this.#acks.hold();
    const finished = this.#finished;
    const since = performance.now();
    const isQuiet = () => performance.now() - Math.max(since, this.#lastArrival) >= QUIET_MS;
    while (this.#alive && this.#received - finished < this.#prefetch && !isQuiet()) await sleep(QUIET_CHECK_MS);
    this.#consumerTag = undefined;
    if (this.#alive) await this.#channel.cancel(tag);
  }

  /** Runs changes of the consumer one after another. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const changing = this.#changing.then(change);
    this.#changing = changing.catch(() => {});
    return changing;
  }

  /** Resolves to `"lost"` as soon as the channel ends, whatever `action` still waits for. */
  #track<T>(action: Promise<T>): Promise<T | Settled> {
    return new Promise((resolve, reject) => {
      const task: Task = { done: action, lose: () => resolve("lost") };
      this.#tasks.add(task);
      action.then(resolve, reject).finally(() => this.#tasks.delete(task));
    });
  }

  #drop(): void {
    this.#acks.drop();
    this.#returns.drop();
    for (const { lose } of this.#tasks) lose();
  }

  #end(reason: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#options.losses.add();
    this.#drop();
    this.#options.onEnd(reason);
    // After a cancel by the broker the channel stays open, with deliveries that would never be settled.
    void closeChannel(this.#channel);
  }
}
