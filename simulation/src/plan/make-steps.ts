import type { Random } from "../random.ts";
import type { EventFactory } from "./make-events.ts";
import type { ServicePlan, Step, StepKind } from "./plan.ts";

interface Instance {
  readonly process: string;
  readonly service: ServicePlan;
  readonly version: number;
}

/** Writes the steps of a plan: first some instances start, then anything happens. */
export class StepWriter {
  readonly #random: Random;
  readonly #services: readonly ServicePlan[];
  readonly #useCases: readonly string[];
  readonly #events: EventFactory;
  readonly #steps: Step[] = [];
  #instances: Instance[] = [];
  #processes = 0;
  #now = 0;

  constructor(random: Random, services: readonly ServicePlan[], useCases: readonly string[], events: EventFactory) {
    this.#random = random;
    this.#services = services;
    this.#useCases = useCases;
    this.#events = events;
  }

  write(): readonly Step[] {
    const random = this.#random;
    // Some runs are full of faults, some have none: what a fault hides shows there.
    const calm = random.pick([0, 0.3, 0.6, 1]);
    const pace = random.pick([1, 20, 300, 3_000]);
    for (const service of this.#services) {
      for (let more = random.pick([1, 1, 2, 3]); more > 0; more -= 1) this.#start(service, 0);
    }
    for (let more = random.pick([3, 8, 15, 30]); more > 0; more -= 1) {
      if (!random.chance(0.3)) this.#now += random.integer(0, pace);
      if (random.chance(0.5)) this.#publish();
      else if (random.chance(calm)) this.#deploy();
      else this.#fault();
    }
    // Written out of order where a deploy takes its time.
    return this.#steps.sort((one, other) => one.at - other.at);
  }

  #add(step: StepKind, later = 0): void {
    this.#steps.push({ at: this.#now + later, ...step });
  }

  #start(service: ServicePlan, version: number, later = 0): void {
    this.#processes += 1;
    const process = `p${this.#processes}`;
    const restart = this.#random.pick([50, 500, 3_000]);
    this.#add({ do: "start", process, service: service.name, version, restart }, later);
    this.#instances.push({ process, service, version });
  }

  #publish(): void {
    const random = this.#random;
    if (random.chance(0.1)) {
      const foreign = Array.from({ length: random.pick([1, 1, 2]) }, () => this.#events.makeForeign());
      this.#add({ do: "drop in", events: foreign });
      return;
    }
    const instance = random.pick(this.#instances);
    if (instance === undefined) return;
    const events = Array.from({ length: random.pick([1, 1, 1, 2, 3, 8]) }, () => this.#events.make());
    this.#add({ do: "publish", process: instance.process, events, together: random.chance(0.3) });
  }

  /** Instances come and go, as is planned. */
  #deploy(): void {
    const random = this.#random;
    const service = random.pick(this.#services);
    if (service === undefined) return;
    const old = this.#instances.filter((each) => each.service === service);
    switch (random.pick(["join", "leave", "roll", "roll", "operate"] as const)) {
      case "join":
        this.#start(service, random.integer(0, service.versions.length - 1));
        break;
      case "leave":
        if (this.#instances.length > 1) this.#leave(random.pick(old), "stop", 0);
        break;
      case "roll": {
        const version = random.integer(0, service.versions.length - 1);
        for (const [index, instance] of old.entries()) {
          const wait = index * random.integer(0, 2_000);
          this.#start(service, version, wait);
          this.#leave(instance, random.chance(0.9) ? "stop" : "kill", wait + random.integer(0, 1_000));
        }
        break;
      }
      case "operate":
        this.#operate();
    }
  }

  #leave(instance: Instance | undefined, how: "stop" | "kill", later: number): void {
    if (instance === undefined) return;
    this.#instances = this.#instances.filter((each) => each !== instance);
    this.#add({ do: how, process: instance.process }, later);
  }

  #operate(): void {
    const random = this.#random;
    const useCase = random.pick(this.#useCases);
    if (useCase === undefined) return;
    const what = random.pick(["all", "oldest"] as const);
    this.#add({ do: random.chance(0.75) ? "redrive" : "purge", useCase, what });
  }

  #fault(): void {
    const random = this.#random;
    const process = random.pick(this.#instances)?.process;
    if (process === undefined) return;
    const fault = random.pick(FAULTS);
    if (fault === "operate") this.#operate();
    else this.#add(makeFault(random, fault, process));
  }
}

const FAULTS = ["kill", "kill", "cut", "cut", "pause", "outage", "refuse", "refuse", "skew", "operate"] as const;

function makeFault(random: Random, fault: Exclude<(typeof FAULTS)[number], "operate">, process: string): StepKind {
  const lasts = random.pick([0, 5, 100, 2_000, 20_000]);
  switch (fault) {
    case "kill":
      return { do: fault, process };
    case "cut":
    case "pause":
      return { do: fault, process, lasts };
    case "outage":
      return { do: fault, lasts };
    case "refuse":
      return random.chance(0.3)
        ? // Not for long: what is sent again is stored each time.
          { do: fault, what: "confirmations", lasts: Math.min(lasts, 500) }
        : { do: fault, what: random.pick(["publishes", "settlements"] as const), lasts };
    case "skew":
      return { do: fault, process, by: random.pick([-600_000, -1_000, 1_000, 600_000]) };
  }
}
