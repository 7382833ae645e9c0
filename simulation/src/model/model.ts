import type { Entry, SettlementNote, UseCaseNote } from "../history/entry.ts";
import { eventsOf } from "../plan/events-of.ts";
import type { EventPlan, Plan } from "../plan/plan.ts";
import { Bindings } from "./bindings.ts";
import type { Copy } from "./copy.ts";
import { Deaths } from "./deaths.ts";
import { type HandState, Hands } from "./hands.ts";
import { Processes } from "./processes.ts";
import { type Failure, QueueModel } from "./queue.ts";
import { Subscribers } from "./subscribers.ts";
import { hasTimedOut } from "./timeouts.ts";
import type { Report } from "./violation.ts";

/**
 * What has to be, by what has happened so far: written after the contract, not after the code. It knows the broker's
 * queues, who is there, and what they have in hand.
 */
export class Model {
  readonly plan: Plan;
  readonly events: ReadonlyMap<string, EventPlan>;
  readonly processes = new Processes();
  readonly bindings = new Bindings();
  readonly subscribers = new Subscribers();
  readonly hands = new Hands();
  readonly deaths: Deaths;
  readonly #queues = new Map<string, QueueModel>();
  /** How often each event was stored, by id. */
  readonly #stored = new Map<string, number>();

  constructor(plan: Plan) {
    this.plan = plan;
    this.events = eventsOf(plan);
    this.deaths = new Deaths(plan.network.latency);
  }

  get queues(): Iterable<QueueModel> {
    return this.#queues.values();
  }

  queue(useCase: string): QueueModel {
    let queue = this.#queues.get(useCase);
    if (queue === undefined) this.#queues.set(useCase, (queue = new QueueModel(useCase)));
    return queue;
  }

  /** The copy that a delivery is of, while the process still has it. */
  copyOf(hand: HandState) {
    return this.queue(hand.useCase).out(hand.delivery);
  }

  /** Takes note of what happens, and reports what must not happen in the broker. */
  see(entry: Entry, report: Report): void {
    this.processes.see(entry);
    this.subscribers.see(entry);
    this.deaths.see(entry);
    switch (entry.kind) {
      case "declares":
        this.bindings.declare(entry);
        break;
      case "withdraws":
        this.bindings.withdraw(entry);
        for (const hand of this.hands.open)
          if (hand.useCase === entry.useCase && !this.bindings.wants(hand.useCase, hand.event.name))
            hand.wanted = false;
        break;
      case "stores":
        for (const { id } of entry.events) this.#countStored(id);
        for (const event of entry.events)
          for (const useCase of entry.queues ?? this.bindings.thatWant(event.name)) this.queue(useCase).add(event);
        break;
      case "delivers": {
        const { useCase, event, process, bytes } = entry;
        this.queue(useCase).deliver(entry, this.subscribers, report);
        const copy = this.queue(useCase).out(entry.delivery);
        this.hands.deliver(entry, this.bindings.wants(useCase, event.name), isSuspect(copy));
        this.subscribers.deliver(entry.delivery, process, useCase);
        this.subscribers.hold(process, bytes);
        break;
      }
      case "settles": {
        const hand = this.hands.get(entry.delivery);
        if (hand !== undefined && storesSomething(entry.settlement)) hand.settlingBytes = hand.bytes + entry.bytes;
        break;
      }
      case "settled":
        this.#settled(entry, report);
        break;
      case "loses":
        this.queue(entry.useCase).lose(entry);
        this.hands.lose(entry);
        break;
      case "forgives":
        this.queue(entry.useCase).forgive(entry);
        break;
      case "takes":
        this.hands.take(entry);
        break;
      case "is told":
        this.hands.isTold(entry);
        break;
      case "learns that it is":
        this.hands.learnOfLoss(entry);
        break;
      case "unsubscribes":
        this.#readdress();
        break;
      case "takes back":
        for (const queue of this.queues) queue.takeBack(entry.process, entry.because !== "closed");
        this.hands.takeBack(entry);
        this.#readdress();
        break;
      case "redrives":
        this.#countStored(entry.event.id);
        this.queue(entry.useCase).redrive(entry, report);
        break;
      case "purges":
        this.queue(entry.useCase).purge(entry, report);
        break;
      case "calls":
        this.hands.call(entry);
        break;
      case "ends":
        this.hands.end(entry);
        break;
      case "dies":
        this.deaths.die(entry, this.hands.die(entry));
    }
  }

  #countStored(id: string): void {
    this.#stored.set(id, (this.#stored.get(id) ?? 0) + 1);
  }

  #settled(entry: Extract<Entry, { kind: "settled" }>, report: Report): void {
    const { useCase, delivery, settlement, result, process, event } = entry;
    const hand = this.hands.get(delivery);
    if (hand !== undefined) {
      const refused = result === "refused" || result === "refused for good";
      this.hands.refuse(hand, refused);
      if (!refused) hand.settlingBytes = 0;
      if (result === "refused" || result === "refused for good") hand.refused.add(settlement.kind);
      else this.hands.close(hand);
      if (result === "refused for good") hand.refusedForGood = true;
    }
    const queue = this.queue(useCase);
    if (result === "stored" && queue.out(delivery) !== undefined) {
      this.subscribers.settle(delivery);
      this.subscribers.hold(process, -(hand?.bytes ?? 0));
    }
    const duplicated = this.events.get(event.label)?.duplicated === true && this.#stored.get(event.id) === 1;
    const to = settlement.kind === "forward" ? settlement.to : undefined;
    const isRedis = this.plan.network.broker === "redis";
    // Of Redis it is known.
    const toIsThere = to !== undefined && (isRedis || this.subscribers.hasDeclaration(useCase, to));
    const failure = hand && failureOf(hand, this.processes.get(process)?.useCases.get(useCase));
    queue.settle(entry, { duplicated, toIsThere, staysItself: isRedis, failure }, report);
  }

  /** What was for subscribers of one declaration, of which none is left, is for all. */
  #readdress(): void {
    for (const queue of this.queues)
      for (const copy of queue.copies)
        if (copy.to !== undefined && !this.subscribers.hasDeclaration(queue.useCase, copy.to)) copy.to = undefined;
  }
}

function storesSomething(settlement: SettlementNote): boolean {
  return settlement.kind !== "release" && (settlement.kind !== "done" || settlement.outputs.length > 0);
}

/** How often an event may come back unexplained before it is a suspect. */
export const UNSUSPECTED = 2;

/** `undefined` where the model cannot tell. */
function isSuspect(copy: Copy | undefined): boolean | undefined {
  if (copy === undefined) return false;
  const redeliveries = copy.redeliveries + copy.redeliveriesBefore;
  return Number.isNaN(redeliveries) ? undefined : redeliveries >= UNSUSPECTED;
}

/** How a handler failed, where nothing else can have decided what became of its event. */
function failureOf({ call, refused }: HandState, declared: UseCaseNote | undefined): Failure | undefined {
  if (call?.ended === undefined || declared === undefined || refused.size > 0) return undefined;
  if (hasTimedOut(call, declared, call.ended.at)) return undefined;
  const { ending, clock } = call.ended;
  if (ending.how === "rejected") return { clock, error: { name: "DeadLetter", message: ending.message } };
  if (ending.how !== "threw") return { clock, error: undefined };
  return { clock, error: ending.name === "Error" ? ending : undefined };
}
