import type {
  Administration,
  Capabilities,
  Clock,
  Connection,
  DeadLetterStore,
  Declarations,
  Delivery,
  EncodedEvent,
  OnDelivery,
  QueueStats,
  Settled,
  Settlement,
  SubscribeOptions,
  Subscription,
  Trials,
  Unconfirmed,
} from "@papa-events/core/transport";
import { readAttempt, sizeOf } from "@papa-events/core/transport";
import type { EventNote, SettlementNote } from "../../history/entry.ts";
import type { History } from "../../history/history.ts";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import type { Scheduler } from "../../scheduling/scheduler.ts";
import { labelOf } from "../network/network.ts";
import { owner } from "../owner.ts";
import { processClock } from "../process-clock.ts";
import type { Observer } from "./observer.ts";

export interface ObservingOptions {
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly observer: Observer;
  readonly goesWrong: (what: string, rule: string) => void;
}

/** Makes a connection of the transport that notes what its app takes, settles and is told. All else is the transport's. */
export class ObservedConnection implements Connection {
  /** The process's own, as without a connection: the core's timers are its process's wherever they are set. */
  readonly clock: Clock;
  readonly #inner: Connection;
  readonly #options: ObservingOptions;
  readonly #process: SimulatedProcess;

  constructor(inner: Connection, options: ObservingOptions, process: SimulatedProcess) {
    this.clock = processClock({ scheduler: options.scheduler, plan: { timersLate: 0 } }, process);
    this.#inner = inner;
    this.#options = options;
    this.#process = process;
  }

  get capabilities(): Capabilities {
    return this.#inner.capabilities;
  }

  get declarations(): Declarations {
    return this.#own(this.#inner.declarations);
  }

  get trials(): Trials | undefined {
    return this.#inner.trials && this.#own(this.#inner.trials);
  }

  get administration(): Administration | undefined {
    return this.#inner.administration && this.#own(this.#inner.administration);
  }

  publish(events: readonly EncodedEvent[]): Promise<readonly Unconfirmed[]> {
    return owner.run(this.#process, () => this.#inner.publish(events));
  }

  async subscribe(useCase: string, options: SubscribeOptions, onDelivery: OnDelivery): Promise<Subscription> {
    const { history } = this.#options;
    const { name: process } = this.#process;
    const { readAhead, declaration } = options;
    history.add({ kind: "subscribes", process, useCase, declaration, readAhead });
    const taking = new Taking(useCase, readAhead, this.#options, this.#process, onDelivery);
    const subscription = this.#own(
      await owner.run(this.#process, () =>
        this.#inner.subscribe(useCase, options, (delivery) => taking.take(delivery)),
      ),
    );
    return {
      readAhead: (limit) => {
        history.add({ kind: "reads ahead", process, useCase, limit });
        taking.limit = limit;
        subscription.readAhead(limit);
      },
      stop: async () => {
        await subscription.stop();
        if (!this.#process.dead) history.add({ kind: "unsubscribes", process, useCase });
      },
    };
  }

  deadLetters(useCase: string): DeadLetterStore {
    return this.#own(this.#inner.deadLetters(useCase));
  }

  inspect(useCase: string): Promise<QueueStats> {
    return owner.run(this.#process, () => this.#inner.inspect(useCase));
  }

  close(): Promise<void> {
    return owner.run(this.#process, () => this.#inner.close());
  }

  /** The core calls from asynchronous contexts of its own (H10), in which nobody would know whose timers those are. */
  #own<T extends object>(part: T): T {
    return new Proxy(part, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => owner.run(this.#process, () => Reflect.apply(value, target, args) as unknown);
      },
    });
  }
}

/** What one app takes of one use case. */
class Taking {
  limit: number;
  readonly #useCase: string;
  readonly #options: ObservingOptions;
  readonly #process: SimulatedProcess;
  readonly #onDelivery: OnDelivery;
  readonly #unsettled = new Set<Delivery>();

  constructor(
    useCase: string,
    limit: number,
    options: ObservingOptions,
    process: SimulatedProcess,
    onDelivery: OnDelivery,
  ) {
    this.#useCase = useCase;
    this.limit = limit;
    this.#options = options;
    this.#process = process;
    this.#onDelivery = onDelivery;
  }

  take(delivery: Delivery): void {
    const { history, observer, goesWrong } = this.#options;
    const { entry, consumer } = delivery as unknown as { readonly entry: string; readonly consumer: string };
    const number = observer.deliveryOf(this.#useCase, entry, consumer);
    const { id = "", name = "" } = delivery.event;
    const event = { id: String(delivery.event.headers.ce_id ?? id), label: labelOf(delivery.event), name };
    if (number === 0) goesWrong(`${this.#process.name} takes ${event.label}, which was not delivered to it`, "H1");
    history.add({ kind: "takes", process: this.#process.name, useCase: this.#useCase, delivery: number, event });
    this.#unsettled.add(delivery);
    const inHand = [...this.#unsettled].filter(({ lost }) => !lost).length;
    if (inHand > this.limit)
      goesWrong(`${this.#process.name} is handed ${inHand} of ${this.#useCase}, and asked for ${this.limit}`, "H9");
    this.#onDelivery({
      event: delivery.event,
      attempt: delivery.attempt,
      redeliveries: delivery.redeliveries,
      get lost() {
        return delivery.lost;
      },
      settle: (settlement) => this.#settle(number, event, delivery, settlement),
    });
  }

  async #settle(number: number, event: EventNote, delivery: Delivery, settlement: Settlement): Promise<Settled> {
    const { history, observer } = this.#options;
    // A dead process decides nothing.
    if (this.#process.dead) return new Promise(() => {});
    const note = noteOf(settlement);
    const about = { process: this.#process.name, useCase: this.#useCase, delivery: number, event };
    const bytes = settlement.kind === "done" ? settlement.outputs.reduce((sum, output) => sum + sizeOf(output), 0) : 0;
    history.add({ kind: "settles", ...about, settlement: note, bytes });
    observer.asked.add(number, note);
    let result: Settled;
    try {
      result = await owner.run(this.#process, () => delivery.settle(settlement));
    } catch (error) {
      if (!this.#process.dead) history.add({ kind: "settled", ...about, settlement: note, result: "refused" });
      throw error;
    }
    this.#unsettled.delete(delivery);
    if (!this.#process.dead) history.add({ kind: "is told", ...about, settlement: note.kind, result });
    return result;
  }
}

function noteOf(settlement: Settlement): SettlementNote {
  switch (settlement.kind) {
    case "done": {
      const outputs = settlement.outputs.map((output) => ({
        id: output.id,
        label: labelOf(output),
        name: output.name,
      }));
      return { kind: "done", outputs };
    }
    case "retry": {
      const { delay, event } = settlement;
      return { kind: "retry", delay, attempt: readAttempt(event.headers) };
    }
    case "forward": {
      const { delay, event, to } = settlement;
      return { kind: "forward", delay, attempt: readAttempt(event.headers), to };
    }
    case "dead":
      return { kind: "dead", letter: settlement.id, reason: String(settlement.event.headers.papa_reason ?? "") };
    case "release":
      return { kind: "release" };
  }
}
