import { Worker } from "node:worker_threads";
import type { BrokerKind } from "../plan/plan.ts";
import type { PlantedFault } from "../planted/planted-fault.ts";
import type { Answer, Failure, Request } from "./messages.ts";

export interface SearchOptions {
  /** Over which transport the apps run: the memory transport unless given. */
  readonly broker?: BrokerKind | undefined;
  readonly from: number;
  /** The last seed. */
  readonly to: number;
  readonly threads: number;
  /** Put into the code under test first. */
  readonly fault?: PlantedFault | undefined;
  /** Whether to go on after a failure. */
  readonly all?: boolean | undefined;
  /** Asked before each portion. */
  readonly mayGoOn?: (() => boolean) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  readonly seeds: number;
  readonly tasks: number;
  /** By seed. */
  readonly failures: readonly Failure[];
}

/** Small enough that threads end together, large enough that handing them out costs nothing. */
const PORTION = 25;

/** Runs seeds in threads, and resolves to what has come of them. */
export async function search(options: SearchOptions): Promise<Progress> {
  const { broker = "memory", from, to, threads, fault, all = false, mayGoOn = () => true, onProgress } = options;
  let next = from;
  let progress: Progress = { seeds: 0, tasks: 0, failures: [] };
  const work = async () => {
    await using thread = new Thread(fault);
    while (next <= to && (all || progress.failures.length === 0) && mayGoOn()) {
      const request = { kind: "run", broker, from: next, to: Math.min(next + PORTION - 1, to), all } as const;
      next = request.to + 1;
      const answer = await thread.ask(request);
      if (answer.kind !== "ran") continue;
      progress = {
        seeds: progress.seeds + answer.seeds,
        tasks: progress.tasks + answer.tasks,
        failures: [...progress.failures, ...answer.failures].sort((one, other) => one.seed - other.seed),
      };
      onProgress?.(progress);
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return progress;
}

/** Tells what happens in one seed. */
export async function explainSeed(
  seed: number,
  broker: BrokerKind,
  fault: PlantedFault | undefined,
  history: boolean,
): Promise<{ readonly failed: boolean; readonly text: string }> {
  await using thread = new Thread(fault);
  const answer = await thread.ask({ kind: "explain", seed, options: { broker, history, fault: fault?.name } });
  if (answer.kind !== "explained") throw new Error("The thread has answered something else.");
  return answer;
}

/** A thread that runs seeds, one request at a time. */
class Thread implements AsyncDisposable {
  readonly #worker: Worker;
  #onAnswer: (answer: Answer) => void = () => {};
  #onError: (error: unknown) => void = () => {};

  constructor(fault: PlantedFault | undefined) {
    this.#worker = new Worker(new URL("./thread.ts", import.meta.url), { workerData: { fault } });
    this.#worker.on("message", (answer: Answer) => this.#onAnswer(answer));
    this.#worker.on("error", (error) => this.#onError(error));
  }

  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#onAnswer = resolve;
      this.#onError = reject;
      this.#worker.postMessage(request);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
