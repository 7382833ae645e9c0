import type { MemoryTransport } from "@papa-events/transport-memory";
import type { EventNote } from "../../history/entry.ts";
import type { History } from "../../history/history.ts";
import type { EventPlan, NetworkPlan } from "../../plan/plan.ts";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import type { Scheduler } from "../../scheduling/scheduler.ts";
import { Link, Pipe } from "./pipe.ts";
import type { Weather } from "./weather.ts";

/** An event as far as it is looked into here. */
export interface Labelled {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly text?: string | undefined;
  readonly body: Uint8Array;
}

export interface NetworkOptions {
  readonly plan: NetworkPlan;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly weather: Weather;
  readonly broker: MemoryTransport;
  /** The process of the broker. */
  readonly brokerProcess: SimulatedProcess;
  /** All events of the plan, by label. */
  readonly events: ReadonlyMap<string, EventPlan>;
}

/** What lies between the apps and the broker in memory, and what they all share of it. */
export class Network {
  readonly plan: NetworkPlan;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly weather: Weather;
  readonly broker: MemoryTransport;
  readonly brokerProcess: SimulatedProcess;
  readonly #events: ReadonlyMap<string, EventPlan>;
  /** How often each event was stored, by id. */
  readonly #stored = new Map<string, number>();
  #deliveries = 0;

  constructor(options: NetworkOptions) {
    this.plan = options.plan;
    this.scheduler = options.scheduler;
    this.history = options.history;
    this.weather = options.weather;
    this.broker = options.broker;
    this.brokerProcess = options.brokerProcess;
    this.#events = options.events;
  }

  /** A way between a process and the broker; several of one process overtake each other. */
  link(process: SimulatedProcess): Link {
    const latency = () => (this.plan.latency === 0 ? 0 : process.random.integer(0, this.plan.latency));
    return new Link(new Pipe(this.scheduler, this.brokerProcess, latency), new Pipe(this.scheduler, process, latency));
  }

  /** Lets the broker take its time before something that it does in a second step. */
  later(): Promise<void> {
    return new Promise((resolve) => this.scheduler.after(this.brokerProcess, 0, resolve));
  }

  nextDelivery(): number {
    this.#deliveries += 1;
    return this.#deliveries;
  }

  countStored(id: string): void {
    this.#stored.set(id, (this.#stored.get(id) ?? 0) + 1);
  }

  /** Whether the broker is to deliver an event once more. Only one that is there once, or which copy it is could not be told. */
  isDuplicated(event: Labelled): boolean {
    return this.planOf(event)?.duplicated === true && this.#stored.get(event.id ?? "") === 1;
  }

  planOf(event: Labelled): EventPlan | undefined {
    return this.#events.get(labelOf(event));
  }

  note(event: Labelled): EventNote {
    return { id: event.id ?? "", label: labelOf(event), name: event.name ?? "" };
  }
}

/** What an event is called in its plan. */
export function labelOf({ id = "", text, body }: Labelled): string {
  const json = text ?? Buffer.from(body).toString();
  // What is no JSON is called like its id.
  if (!json.startsWith("{")) return id;
  return (JSON.parse(json) as { readonly label?: string }).label ?? "";
}
