import { real } from "../sealed/real.ts";
import { Heap } from "./heap.ts";
import type { SimulatedProcess } from "./process.ts";

interface Task {
  /** Milliseconds of virtual time. */
  readonly due: number;
  /** Chance: of those that are due at one time, the least runs first. */
  readonly order: number;
  /** Tells apart what chance has made equal. */
  readonly sequence: number;
  readonly owner: SimulatedProcess;
  readonly run: () => void;
  /** Whether it only repeats: a run may end while such are left. */
  readonly background: boolean;
  state: "queued" | "held" | "over";
}

/** Called for what a task throws. */
export type OnThrown = (error: unknown, owner: SimulatedProcess) => void;

/** Virtual time, and the order in which everything ready runs: one task at a time, with all the promises that it settles. */
export class Scheduler {
  #now: number;
  #sequence = 0;
  #ran = 0;
  #foreground = 0;
  readonly #tasks = new Heap<Task>(
    (one, other) =>
      one.due < other.due ||
      (one.due === other.due &&
        (one.order < other.order || (one.order === other.order && one.sequence < other.sequence))),
  );
  readonly #onThrown: OnThrown;

  constructor(start: number, onThrown: OnThrown) {
    this.#now = start;
    this.#onThrown = onThrown;
  }

  get now(): number {
    return this.#now;
  }

  /** How many tasks have run. */
  get ran(): number {
    return this.#ran;
  }

  /** Whether anything is left to do but what repeats by itself. */
  get idle(): boolean {
    return this.#foreground === 0;
  }

  /** Who has something to do that does not only repeat. */
  owners(): string[] {
    return this.#tasks.all.flatMap(({ state, background, owner }) =>
      state === "queued" && !background ? [`${owner.name}`] : [],
    );
  }

  /** Runs something after a delay; returns how to cancel it. */
  after(owner: SimulatedProcess, delay: number, run: () => void, background = false): () => void {
    this.#sequence += 1;
    const due = this.#now + Math.max(0, delay);
    const order = owner.random.next();
    const task: Task = { due, order, sequence: this.#sequence, owner, run, background, state: "over" };
    this.#push(task);
    return () => this.#take(task, "over");
  }

  /** Runs what falls due until a time, which it then is; fewer where so many tasks have run, or `until` says so. */
  async runTo(time: number, maxTasks: number, until: () => boolean = () => false): Promise<void> {
    // What was begun outside of tasks goes as far as it goes by itself.
    await turn();
    while (this.#ran < maxTasks && !until()) {
      const next = this.#tasks.peek();
      if (next === undefined || next.due > time) {
        this.#now = Math.max(this.#now, time);
        return;
      }
      this.#tasks.pop();
      if (next.state === "queued") await this.#run(next);
    }
  }

  async #run(task: Task): Promise<void> {
    const { owner } = task;
    this.#take(task, owner.paused ? "held" : "over");
    if (owner.dead) return;
    if (owner.paused) {
      owner.hold(() => {
        if (task.state === "held") this.#push(task);
      });
      return;
    }
    this.#now = Math.max(this.#now, task.due);
    this.#ran += 1;
    try {
      task.run();
    } catch (error) {
      this.#onThrown(error, owner);
    }
    await turn();
  }

  #push(task: Task): void {
    task.state = "queued";
    if (!task.background) this.#foreground += 1;
    this.#tasks.push(task);
  }

  #take(task: Task, state: "held" | "over"): void {
    if (task.state === "queued" && !task.background) this.#foreground -= 1;
    task.state = state;
  }
}

/** A real turn of the real loop: until then all promises that were settled have been acted upon. */
function turn(): Promise<void> {
  return new Promise((resolve) => real.setImmediate(resolve));
}
