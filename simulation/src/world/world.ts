import { isPapaError } from "@papa-events/core";
import { memory } from "@papa-events/transport-memory";
import type { EventNote } from "../history/entry.ts";
import { History } from "../history/history.ts";
import { eventsOf } from "../plan/events-of.ts";
import type { EventPlan, Plan, ServicePlan } from "../plan/plan.ts";
import { Random } from "../random.ts";
import { SimulatedProcess } from "../scheduling/process.ts";
import { Scheduler } from "../scheduling/scheduler.ts";
import { AppProcess } from "./app-process.ts";
import { MemoryBroker } from "./network/memory-broker.ts";
import { type Labelled, Network } from "./network/network.ts";
import { Weather } from "./network/weather.ts";
import { owner } from "./owner.ts";
import { payloadOf } from "./payloads.ts";
import { processClock } from "./process-clock.ts";
import { RedisBroker } from "./redis/redis-broker.ts";
import type { Broker } from "./way.ts";

/** When a run begins, by the clocks in it. */
const START = Date.UTC(2026, 0, 1);

/** Everything there is in a run: time, the broker, the way to it, and the processes. */
export class World {
  readonly plan: Plan;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly weather = new Weather();
  readonly broker: Broker;
  readonly events: ReadonlyMap<string, EventPlan>;
  /** Whoever acts and is no app: what plans say, timers of no process. */
  readonly itself: SimulatedProcess;
  /** The last life of each instance. */
  readonly instances = new Map<string, AppProcess>();
  /** Whether the plan is over, and what is left is handled. */
  finishing = false;
  /** Use cases that an operator may have paused. */
  readonly paused = new Set<string>();
  /** How many operators are about something. */
  operators = 0;
  /** Whom something was asked and has not answered yet. */
  readonly asked = new Set<{ readonly instance: AppProcess }>();
  readonly #logs: boolean;
  readonly #troubles = new Map<string, number>();
  #calls = 0;
  #publishCalls = 0;
  #lives = 0;

  /** @param logs whether log lines are part of the history */
  constructor(plan: Plan, logs: boolean) {
    this.plan = plan;
    this.#logs = logs;
    this.random = new Random(`run ${plan.schedule}`);
    this.scheduler = new Scheduler(START, (error, { name }) => this.goesWrong(`${name} threw ${shown(error)}`));
    this.history = new History(() => this.scheduler.now - START);
    this.itself = this.process("world");
    this.events = eventsOf(plan);
    this.broker = plan.network.broker === "redis" ? this.#redis() : this.#memory();
  }

  #memory(): Broker {
    const brokerProcess = this.process("broker");
    const clock = processClock({ scheduler: this.scheduler, plan: { timersLate: 0 } }, brokerProcess);
    const duplicate = (event: Labelled) => network.isDuplicated(event);
    const { scheduler, history, weather, events } = this;
    const network: Network = new Network({
      plan: this.plan.network,
      scheduler,
      history,
      weather,
      broker: memory({ clock, duplicate }),
      brokerProcess,
      events,
    });
    return new MemoryBroker(network);
  }

  #redis(): Broker {
    const { scheduler, history, weather, events, plan } = this;
    return new RedisBroker({
      plan: plan.network,
      scheduler,
      history,
      weather,
      serverProcess: this.process("broker"),
      random: this.random.fork("network"),
      events,
      goesWrong: (what, rule) => this.goesWrong(what, rule),
    });
  }

  process(name: string): SimulatedProcess {
    return new SimulatedProcess(name, this.random.fork(name));
  }

  /** Milliseconds since the run began. */
  get elapsed(): number {
    return this.scheduler.now - START;
  }

  nextCall(): number {
    this.#calls += 1;
    return this.#calls;
  }

  /** Counts how often an event has met a use case that has trouble with it. */
  countTrouble(useCase: string, label: string): number {
    const key = `${useCase} ${label}`;
    const times = (this.#troubles.get(key) ?? 0) + 1;
    this.#troubles.set(key, times);
    return times;
  }

  sleep(process: SimulatedProcess, milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.scheduler.after(process, milliseconds, resolve));
  }

  /** Notes what the run itself has seen to be wrong. */
  goesWrong(what: string, rule = "run"): void {
    this.history.add({ kind: "goes wrong", rule, what });
  }

  log(process: string, level: string, message: string): void {
    if (this.#logs) this.history.add({ kind: "logs", process, level, message });
  }

  /** Starts a process; it is there at once, and runs once `start()` has resolved. */
  async start(name: string, service: ServicePlan, version: number): Promise<void> {
    const before = this.instances.get(name);
    this.#lives += 1;
    const process = this.process(before === undefined ? name : `${name}'${this.#lives}`);
    const instance = owner.run(process, () => new AppProcess(this, process, service, version));
    this.instances.set(name, instance);
    const about = { process: instance.name, service: service.name, version };
    this.history.add({ kind: "starts", ...about, useCases: instance.notes, settings: service.settings });
    await this.#ask(instance, async () => {
      const error = await outcomeOf(owner.run(process, () => instance.app.start()));
      if (process.dead) return;
      instance.started = error === undefined;
      this.history.add({ kind: "started", process: instance.name, error });
      if (error !== undefined && !instance.stopping) this.onGone(instance);
    });
  }

  /** Stops an app. A handler that does it waits for the others only; when the app has closed is noted apart. */
  async stop(instance: AppProcess, by: "plan" | "handler" | "finish"): Promise<void> {
    if (instance.process.dead) return;
    instance.stopping = true;
    this.history.add({ kind: "stops", process: instance.name, by });
    if (by === "handler") {
      this.scheduler.after(this.itself, 0, () => void this.#noteStop(instance));
      await instance.app.stop();
    } else {
      await this.#noteStop(instance);
    }
  }

  async #noteStop(instance: AppProcess): Promise<void> {
    await this.#ask(instance, async () => {
      const error = await outcomeOf(owner.run(instance.process, () => instance.app.stop()));
      if (!instance.process.dead) this.history.add({ kind: "stopped", process: instance.name, error });
    });
  }

  /** Kills a process: nothing of it runs any more, and the broker takes back what it had. */
  kill(instance: AppProcess, of: string): void {
    if (instance.process.dead) return;
    instance.process.dead = true;
    this.history.add({ kind: "dies", process: instance.name, of });
    instance.way.sever();
    this.onGone(instance);
  }

  /** Called when a process has died, or could not start its app. */
  onGone: (instance: AppProcess) => void = () => {};

  setConnected(instance: AppProcess, connected: boolean, silent = false): void {
    if (instance.process.dead) return;
    this.history.add({ kind: connected ? "is connected again" : "is cut off", process: instance.name });
    instance.way.setConnected(connected, silent);
  }

  /** @throws whatever the app rejects with */
  async publish(instance: AppProcess, events: readonly EventPlan[], together: boolean): Promise<void> {
    this.#publishCalls += 1;
    const about = { process: instance.name, call: this.#publishCalls };
    const notes = events.map(
      (event): EventNote => ({ id: event.ownId ? event.label : "", label: event.label, name: event.name }),
    );
    this.history.add({ kind: "publishes", ...about, events: notes });
    await this.#ask(instance, async () => {
      try {
        const published = together
          ? await owner.run(instance.process, () => instance.app.newEvents(events.map(publishable)))
          : [await owner.run(instance.process, () => this.#publishOne(instance, events))];
        if (!instance.process.dead)
          this.history.add({ kind: "published", ...about, ids: published.map(({ id }) => id) });
      } catch (error) {
        if (!instance.process.dead)
          this.history.add({ kind: "published", ...about, ids: [], error: shown(error), failed: failedOf(error) });
        throw error;
      }
    });
  }

  async #publishOne({ app }: AppProcess, [event]: readonly EventPlan[]): Promise<{ readonly id: string }> {
    if (event === undefined) throw new Error("There is nothing to publish.");
    const { name, payload, ...options } = publishable(event);
    return app.newEvent(name, payload, Object.keys(options).length === 0 ? undefined : options);
  }

  /** Keeps count of what is not answered yet; the dead answer no more. */
  async #ask(instance: AppProcess, ask: () => Promise<void>): Promise<void> {
    const question = { instance };
    this.asked.add(question);
    try {
      await ask();
    } finally {
      this.asked.delete(question);
    }
  }
}

function publishable(event: EventPlan) {
  const { name, label, ownId, headers } = event;
  return {
    name,
    payload: payloadOf(event),
    ...(ownId ? { id: label } : {}),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  };
}

function failedOf(error: unknown): string[] | undefined {
  return isPapaError(error, "publish-incomplete") ? error.details.failed.map(({ id }) => id) : undefined;
}

async function outcomeOf(done: Promise<void>): Promise<string | undefined> {
  try {
    await done;
    return undefined;
  } catch (error) {
    return shown(error);
  }
}

function shown(error: unknown): string {
  if (isPapaError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
