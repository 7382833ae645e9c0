import type { Clock, EncodedEvent, QueueStats, Settlement } from "@papa-events/core/transport";
import Denque from "denque";
import { QueueDeadLetters } from "../dead-letters/dead-letters.ts";
import { QueueDeclarations } from "../declarations/queue-declarations.ts";
import { Message } from "./message.ts";
import { withRawHeaders } from "./raw-headers.ts";
import type { Subscriber } from "./subscriber.ts";

/** Whoever runs a use case: told when it is removed. */
export type QueueUser = (queue: Queue) => void;

/** From how many unexplained redeliveries on the core takes an event for a suspect (T6). */
const SUSPECT = 2;

/** The events of one use case: ready, handed out, waiting for their retry, dead. */
export class Queue {
  readonly useCase: string;
  readonly users = new Set<QueueUser>();
  /** Whether an app has declared it; else it is what was kept of one that was removed. */
  declared = false;
  readonly declarations: QueueDeclarations;
  readonly deadLetters: QueueDeadLetters;
  /** How many deliveries there have been. */
  handedOut = 0;
  /** How many of them have been settled. */
  settled = 0;
  readonly #clock: Clock;
  readonly #wake: (queue: Queue) => void;
  readonly #duplicate: ((event: EncodedEvent) => boolean) | undefined;
  readonly #ready = new Denque<Message>();
  /** Ready for subscribers of one declaration only, by its id. There is one at least while they are here. */
  readonly #addressed = new Map<string, Denque<Message>>();
  readonly #subscribers: Subscriber[] = [];
  #nextSubscriber = 0;
  #sequence = 0;
  #inFlight = 0;
  #waiting = 0;
  #removed = false;

  constructor(
    useCase: string,
    clock: Clock,
    wake: (queue: Queue) => void,
    duplicate: ((event: EncodedEvent) => boolean) | undefined,
    deadLetters = new QueueDeadLetters(useCase),
  ) {
    this.useCase = useCase;
    this.#clock = clock;
    this.#wake = wake;
    this.#duplicate = duplicate;
    this.declarations = new QueueDeclarations(useCase);
    this.deadLetters = deadLetters;
  }

  /** Puts an event at the end. */
  add(event: EncodedEvent, duplicate = false): void {
    if (this.#removed) return;
    this.#ready.push(this.#message(event, duplicate));
    this.#wake(this);
  }

  subscribe(subscriber: Subscriber): void {
    this.#subscribers.push(subscriber);
    this.#wake(this);
  }

  /** A subscriber may take more than before. */
  wake(): void {
    if (!this.#ready.isEmpty() || this.#addressed.size > 0) this.#wake(this);
  }

  unsubscribe(subscriber: Subscriber): void {
    const index = this.#subscribers.indexOf(subscriber);
    if (index === -1) return;
    this.#subscribers.splice(index, 1);
    const { declaration } = subscriber;
    const addressed = this.#addressed.get(declaration);
    if (addressed === undefined || this.#hasSubscriber(declaration)) return;
    // Nobody is left whom they could wait for.
    this.#addressed.delete(declaration);
    for (const message of addressed.toArray()) this.#ready.push(message);
    this.wake();
  }

  /** Ends it for good: what is in it is gone, what is handed out is lost, and nothing comes into it any more. */
  remove(): void {
    this.#removed = true;
    this.#ready.clear();
    this.#addressed.clear();
    for (const user of this.users) user(this);
    this.users.clear();
  }

  /** Gives ready events to the subscribers in turn, as many as they take. */
  handOut(): void {
    for (const [declaration, messages] of this.#addressed) {
      this.#handOutOf(messages, declaration);
      if (messages.isEmpty()) this.#addressed.delete(declaration);
    }
    this.#handOutOf(this.#ready, undefined);
  }

  /** Does what the settlement says, at once and altogether. */
  settle(message: Message, settlement: Settlement): void {
    this.#takeBack();
    switch (settlement.kind) {
      case "done":
        if (!message.duplicate && this.#duplicate?.(message.event) === true) this.add(message.event, true);
        break;
      case "retry":
        this.#wait(withRawHeaders(settlement.event), settlement.delay, message.duplicate);
        break;
      case "forward":
        this.#forward(withRawHeaders(settlement.event), settlement.delay, settlement.to, message.duplicate);
        break;
      case "dead":
        this.deadLetters.add(settlement.id, withRawHeaders(settlement.event));
        break;
      case "release":
        this.#return([message], 0);
        break;
    }
  }

  /** Takes unsettled messages back to where they were, and counts it where it is unexplained. */
  giveBack(messages: readonly Message[], unexplained: boolean): void {
    for (const _ of messages) this.#takeBack();
    this.#return(messages, unexplained ? 1 : 0);
  }

  get stats(): QueueStats {
    let ready = this.#ready.length;
    for (const messages of this.#addressed.values()) ready += messages.length;
    return { ready, inFlight: this.#inFlight, waiting: this.#waiting, dead: this.deadLetters.size };
  }

  /** Whether there is anything of it that an operator could act on. */
  get isRemembered(): boolean {
    if (this.declared) return true;
    const { ready, inFlight, waiting, dead } = this.stats;
    return ready + inFlight + waiting + dead > 0;
  }

  /** How many of those that are ready came back for no known reason, more than once. */
  get suspects(): number {
    let suspects = 0;
    for (let index = 0; index < this.#ready.length; index += 1)
      if ((this.#ready.peekAt(index)?.redeliveries ?? 0) >= SUSPECT) suspects += 1;
    return suspects;
  }

  /** Whether something is handled or could be now. */
  get busy(): boolean {
    if (this.#inFlight > 0) return true;
    const next = this.#ready.peekFront();
    return next !== undefined && this.#subscribers.some((subscriber) => subscriber.takes(next));
  }

  #takeBack(): void {
    this.#inFlight -= 1;
    this.settled += 1;
    this.wake();
  }

  #message(event: EncodedEvent, duplicate: boolean): Message {
    this.#sequence += 1;
    return new Message(event, this.#sequence, 0, duplicate);
  }

  #wait(event: EncodedEvent, delay: number, duplicate: boolean): void {
    this.#waiting += 1;
    this.#clock.after(delay, () => {
      this.#waiting -= 1;
      this.add(event, duplicate);
    });
  }

  /** To a subscriber of the declaration at once if there is one, else to any of them later. */
  #forward(event: EncodedEvent, delay: number, declaration: string | undefined, duplicate: boolean): void {
    if (declaration === undefined || !this.#hasSubscriber(declaration)) {
      this.#wait(event, delay, duplicate);
      return;
    }
    let messages = this.#addressed.get(declaration);
    if (messages === undefined) this.#addressed.set(declaration, (messages = new Denque()));
    messages.push(this.#message(event, duplicate));
    this.#wake(this);
  }

  #hasSubscriber(declaration: string): boolean {
    return this.#subscribers.some((subscriber) => subscriber.declaration === declaration);
  }

  #handOutOf(messages: Denque<Message>, declaration: string | undefined): void {
    for (let next = messages.peekFront(); next !== undefined; next = messages.peekFront()) {
      const subscriber = this.#nextSubscriberFor(next, declaration);
      if (subscriber === undefined) return;
      messages.shift();
      this.#inFlight += 1;
      this.handedOut += 1;
      subscriber.deliver(next);
    }
  }

  /** Puts messages back to their places: before what came after them, behind what came before them and is ready too. */
  #return(messages: readonly Message[], unexplained: number): void {
    if (messages.length === 0 || this.#removed) return;
    const back = messages.map(
      (message) => new Message(message.event, message.sequence, message.redeliveries + unexplained, message.duplicate),
    );
    const last = Math.max(...back.map(({ sequence }) => sequence));
    for (
      let front = this.#ready.peekFront();
      front !== undefined && front.sequence < last;
      front = this.#ready.peekFront()
    ) {
      back.push(front);
      this.#ready.shift();
    }
    back.sort((a, b) => b.sequence - a.sequence);
    for (const message of back) this.#ready.unshift(message);
    this.#wake(this);
  }

  #nextSubscriberFor(message: Message, declaration: string | undefined): Subscriber | undefined {
    for (let tried = 0; tried < this.#subscribers.length; tried += 1) {
      this.#nextSubscriber = (this.#nextSubscriber + 1) % this.#subscribers.length;
      const subscriber = this.#subscribers[this.#nextSubscriber];
      if (subscriber === undefined || !subscriber.takes(message)) continue;
      if (declaration === undefined || subscriber.declaration === declaration) return subscriber;
    }
    return undefined;
  }
}
