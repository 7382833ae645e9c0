import type { SimulatedProcess } from "../../scheduling/process.ts";
import type { Scheduler } from "../../scheduling/scheduler.ts";

/** One direction of a connection: messages arrive in their order, each after a while. */
export class Pipe {
  readonly #scheduler: Scheduler;
  readonly #receiver: SimulatedProcess;
  readonly #latency: () => number;
  readonly #messages: (() => void)[] = [];
  #lastArrival = 0;

  /** @param receiver whose task it is to take a message; what arrives at a dead one is gone */
  constructor(scheduler: Scheduler, receiver: SimulatedProcess, latency: () => number) {
    this.#scheduler = scheduler;
    this.#receiver = receiver;
    this.#latency = latency;
  }

  send(message: () => void): void {
    const arrival = Math.max(this.#lastArrival, this.#scheduler.now + this.#latency());
    this.#lastArrival = arrival;
    this.#messages.push(message);
    this.#scheduler.after(this.#receiver, arrival - this.#scheduler.now, () => this.#messages.shift()?.());
  }
}

/** Both directions. */
export class Link {
  readonly up: Pipe;
  readonly down: Pipe;

  constructor(up: Pipe, down: Pipe) {
    this.up = up;
    this.down = down;
  }

  /** Has the broker do something, and resolves or rejects as that does when the answer has arrived. */
  call<T>(request: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.up.send(() => {
        request().then(
          (answer) => this.down.send(() => resolve(answer)),
          (error) => this.down.send(() => reject(error)),
        );
      });
    });
  }
}
