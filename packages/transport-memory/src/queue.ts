import type { Clock, EncodedEvent, QueueStats, Settlement } from "@papa-events/core/transport";
import Denque from "denque";
import { Letters } from "./dead-letters.ts";
import { Message } from "./message.ts";
import type { Subscriber } from "./subscriber.ts";

/** The events of one use case: ready, handed out, waiting for their retry, dead. */
export class Queue {
  readonly useCase: string;
  /** The bound patterns and when each was last shown. */
  readonly shown = new Map<string, number>();
  readonly letters: Letters;
  /** How many deliveries there have been. */
  handedOut = 0;
  /** How many of them have been settled. */
  settled = 0;
  readonly #clock: Clock;
  readonly #wake: (queue: Queue) => void;
  readonly #duplicate: ((event: EncodedEvent) => boolean) | undefined;
  readonly #ready = new Denque<Message>();
  readonly #subscribers: Subscriber[] = [];
  #nextSubscriber = 0;
  #sequence = 0;
  #inFlight = 0;
  #waiting = 0;

  constructor(
    useCase: string,
    clock: Clock,
    wake: (queue: Queue) => void,
    duplicate: ((event: EncodedEvent) => boolean) | undefined,
  ) {
    this.useCase = useCase;
    this.#clock = clock;
    this.#wake = wake;
    this.#duplicate = duplicate;
    this.letters = new Letters(useCase, (event) => this.add(event));
  }

  /** Puts an event at the end. */
  add(event: EncodedEvent, duplicate = false): void {
    this.#sequence += 1;
    this.#ready.push(new Message(event, this.#sequence, 0, duplicate));
    this.#wake(this);
  }

  subscribe(subscriber: Subscriber): void {
    this.#subscribers.push(subscriber);
    this.#wake(this);
  }

  /** A subscriber may take more than before. */
  wake(): void {
    if (!this.#ready.isEmpty()) this.#wake(this);
  }

  unsubscribe(subscriber: Subscriber): void {
    const place = this.#subscribers.indexOf(subscriber);
    if (place !== -1) this.#subscribers.splice(place, 1);
  }

  /** Gives ready events to the subscribers in turn, as many as they take. */
  handOut(): void {
    while (!this.#ready.isEmpty()) {
      const subscriber = this.#freeSubscriber();
      if (subscriber === undefined) return;
      const message = this.#ready.shift();
      if (message === undefined) return;
      this.#inFlight += 1;
      this.handedOut += 1;
      subscriber.deliver(message);
    }
  }

  /** Does what the settlement says, at once and altogether. */
  settle(message: Message, settlement: Settlement): void {
    this.#takeBack();
    switch (settlement.kind) {
      case "done":
        if (!message.duplicate && this.#duplicate?.(message.event) === true) this.add(message.event, true);
        break;
      case "retry":
      case "hand-on":
        this.#waiting += 1;
        this.#clock.after(settlement.delay, () => {
          this.#waiting -= 1;
          this.add(settlement.event);
        });
        break;
      case "dead":
        this.letters.add(settlement.id, settlement.event);
        break;
      case "release":
        this.#return([message], 0);
        break;
    }
  }

  /** Takes unsettled messages back to where they were; `crashed` counts it against them. */
  giveBack(messages: readonly Message[], crashed: boolean): void {
    for (const _ of messages) this.#takeBack();
    this.#return(messages, crashed ? 1 : 0);
  }

  get stats(): QueueStats {
    return { ready: this.#ready.length, inFlight: this.#inFlight, waiting: this.#waiting, dead: this.letters.size };
  }

  /** Whether something is handled or could be now. */
  get busy(): boolean {
    return this.#inFlight > 0 || (!this.#ready.isEmpty() && this.#subscribers.some((subscriber) => subscriber.free));
  }

  #takeBack(): void {
    this.#inFlight -= 1;
    this.settled += 1;
    this.wake();
  }

  /** Puts messages back to their places: before what came after them, behind what came before them and is ready too. */
  #return(messages: readonly Message[], crashes: number): void {
    if (messages.length === 0) return;
    const back = messages.map(
      (message) => new Message(message.event, message.sequence, message.crashes + crashes, message.duplicate),
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

  #freeSubscriber(): Subscriber | undefined {
    for (let tried = 0; tried < this.#subscribers.length; tried += 1) {
      this.#nextSubscriber = (this.#nextSubscriber + 1) % this.#subscribers.length;
      const subscriber = this.#subscribers[this.#nextSubscriber];
      if (subscriber?.free === true) return subscriber;
    }
    return undefined;
  }
}
