/** The network between a process and the server: open, closed, or stalled so that what is on its way arrives later. */
export class Gate {
  #state: "open" | "closed" | "stalled" = "open";
  #held: (() => void)[] = [];

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Has something arrive, once the network lets it. */
  pass(arrive: () => void): void {
    if (this.#state === "stalled") this.#held.push(arrive);
    else arrive();
  }

  close(): void {
    this.#state = "closed";
    this.#release();
  }

  stall(): void {
    if (this.#state === "open") this.#state = "stalled";
  }

  open(): void {
    this.#state = "open";
    this.#release();
  }

  #release(): void {
    for (const arrive of this.#held.splice(0)) arrive();
  }
}
