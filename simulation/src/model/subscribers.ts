import type { Entry } from "../history/entry.ts";

/** One process's consumption of one use case, as the broker sees it. */
export interface SubscriberState {
  readonly process: string;
  readonly useCase: string;
  readonly declaration: string;
  limit: number;
  open: boolean;
  connected: boolean;
  /** How many deliveries it has not settled. */
  unsettled: number;
}

/** Who consumes what, and how much of it they have in hand (H9). */
export class Subscribers {
  readonly #byUseCase = new Map<string, SubscriberState[]>();
  /** Bytes in hand, by process. */
  readonly #held = new Map<string, number>();
  /** To whom each delivery went. */
  readonly #deliveries = new Map<number, SubscriberState>();

  of(useCase: string): readonly SubscriberState[] {
    return this.#byUseCase.get(useCase) ?? [];
  }

  find(process: string, useCase: string): SubscriberState | undefined {
    return this.of(useCase).find((each) => each.process === process);
  }

  /** Whether somebody who takes deliveries subscribed under a declaration. */
  hasDeclaration(useCase: string, declaration: string): boolean {
    return this.of(useCase).some((each) => each.declaration === declaration && each.open && each.connected);
  }

  deliver(delivery: number, process: string, useCase: string): void {
    const subscriber = this.find(process, useCase);
    if (subscriber === undefined) return;
    subscriber.unsettled += 1;
    this.#deliveries.set(delivery, subscriber);
  }

  /** Makes room where it was delivered: the process may have ended that subscription and begun another since. */
  settle(delivery: number): void {
    const subscriber = this.#deliveries.get(delivery);
    if (subscriber !== undefined) subscriber.unsettled -= 1;
  }

  heldBytes(process: string): number {
    return this.#held.get(process) ?? 0;
  }

  hold(process: string, bytes: number): void {
    this.#held.set(process, this.heldBytes(process) + bytes);
  }

  see(entry: Entry): void {
    switch (entry.kind) {
      case "subscribes": {
        const { process, useCase, declaration, readAhead: limit } = entry;
        // An app that has to connect again before it has started subscribes again.
        const all = (this.#byUseCase.get(useCase) ?? []).filter((each) => each.process !== process);
        all.push({ process, useCase, declaration, limit, open: true, connected: true, unsettled: 0 });
        this.#byUseCase.set(useCase, all);
        break;
      }
      case "reads ahead": {
        const subscriber = this.find(entry.process, entry.useCase);
        if (subscriber !== undefined) subscriber.limit = entry.limit;
        break;
      }
      case "unsubscribes": {
        const subscriber = this.find(entry.process, entry.useCase);
        if (subscriber !== undefined) subscriber.open = false;
        break;
      }
      case "takes back":
        for (const subscriber of this.#all(entry.process)) {
          subscriber.unsettled = 0;
          if (entry.because === "cut") subscriber.connected = false;
          else subscriber.open = false;
        }
        this.#held.set(entry.process, 0);
        break;
      case "is connected again":
        for (const subscriber of this.#all(entry.process)) subscriber.connected = true;
    }
  }

  *#all(process: string): Iterable<SubscriberState> {
    for (const subscribers of this.#byUseCase.values())
      for (const subscriber of subscribers) if (subscriber.process === process) yield subscriber;
  }
}
