import {
  type DeadLetterItem,
  type EventContext,
  exponential,
  type Logger,
  PapaApp,
  type RetryDelay,
} from "@papa-events/core";
import type { EventNote, UseCaseNote } from "../history/entry.ts";
import type { RetryDelayPlan, ServicePlan, UseCasePlan } from "../plan/plan.ts";
import type { SimulatedProcess } from "../scheduling/process.ts";
import { handlerOf } from "./handlers.ts";
import type { Way } from "./way.ts";
import type { World } from "./world.ts";

/** A process in which an app runs: one life of an instance of a service. */
export class AppProcess {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly service: ServicePlan;
  readonly version: number;
  readonly app: PapaApp;
  readonly way: Way;
  /** Whether `start()` has resolved. */
  started = false;
  /** Whether `stop()` has been called. */
  stopping = false;
  readonly #world: World;

  constructor(world: World, process: SimulatedProcess, service: ServicePlan, version: number) {
    this.#world = world;
    this.name = process.name;
    this.process = process;
    this.service = service;
    this.version = version;
    this.way = world.broker.wayOf(process);
    const { settings } = service;
    this.app = new PapaApp({
      ...settings,
      transport: this.way,
      name: service.name,
      unwanted: "accept",
      logger: this.#logger(),
      onRetry: (context, _, delay) => this.#onRetry(context, delay),
      onDeadLetter: (item) => this.#onDeadLetter(item),
    });
    for (const useCase of this.#useCases()) this.#declare(useCase);
  }

  /** Whether it can be asked to publish. */
  get running(): boolean {
    return this.started && !this.process.dead;
  }

  /** The time of day as this process sees it. */
  get clock(): number {
    return Math.floor(this.#world.scheduler.now + this.process.clockSkew);
  }

  get notes(): UseCaseNote[] {
    return this.#useCases().map((useCase) => ({ ...useCase }));
  }

  #useCases(): readonly UseCasePlan[] {
    return this.service.versions[this.version]?.useCases ?? [];
  }

  #declare({ name, patterns, retries, retryDelay, concurrency, timeout }: UseCasePlan): void {
    const options = { useCase: name, retries, retryDelay: delayOf(retryDelay), concurrency };
    this.app.onEvent(
      [...patterns],
      timeout === 0 ? options : { ...options, timeout },
      handlerOf(this.#world, this, name),
    );
  }

  #onRetry({ useCase, id, eventName, attempt, payload }: EventContext, delay: number): void {
    if (this.process.dead) return;
    const event = { id, label: labelIn(payload), name: eventName };
    this.#world.history.add({ kind: "tells of a retry", process: this.name, useCase, event, attempt, delay });
  }

  #onDeadLetter({ id: letter, useCase, eventId, eventName, reason, payload }: DeadLetterItem): void {
    if (this.process.dead) return;
    const event: EventNote = { id: eventId, label: labelIn(payload), name: eventName };
    this.#world.history.add({ kind: "tells of a dead letter", process: this.name, useCase, letter, event, reason });
  }

  #logger(): Logger {
    const method = (level: string) => (_: object, message?: string) => this.#world.log(this.name, level, message ?? "");
    return { debug: method("debug"), info: method("info"), warn: method("warn"), error: method("error") };
  }
}

function delayOf(plan: RetryDelayPlan): RetryDelay {
  switch (plan.kind) {
    case "fixed":
      return plan.delay;
    case "exponential":
      return exponential({ first: plan.first, jitter: plan.jitter });
    case "function":
      return (attempt) => plan.delay * attempt;
  }
}

/** The label in a payload; a payload that never reached its handler is not there. */
function labelIn(payload: unknown): string {
  return (payload as { readonly label?: string } | undefined)?.label ?? "";
}
