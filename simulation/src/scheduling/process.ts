import type { Random } from "../random.ts";

/**
 * Whose task it is. A process of the simulation can be killed, after which nothing of it runs any more, and paused, as by
 * SIGSTOP or a long garbage collection.
 */
export class SimulatedProcess {
  readonly name: string;
  /** What chance decides for it. Its own, so that leaving another process out of a run changes little for this one. */
  readonly random: Random;
  dead = false;
  /** How far its clock is off, in milliseconds (L9). */
  clockSkew = 0;
  #paused = false;
  #held: (() => void)[] = [];

  constructor(name: string, random: Random) {
    this.name = name;
    this.random = random;
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  /** Puts what fell due in the meantime back to where it was. */
  resume(): void {
    this.#paused = false;
    for (const putBack of this.#held.splice(0)) putBack();
  }

  /** Keeps a task that fell due in a pause. */
  hold(putBack: () => void): void {
    this.#held.push(putBack);
  }
}
