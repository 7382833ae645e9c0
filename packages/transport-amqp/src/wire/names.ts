import { randomUUID } from "node:crypto";

/**
 * Names every object on the broker. Without a prefix the names are those of the Python original:
 *
 *     exchange  = [prefix "/"] "domain_events" ["." ("retry" / "dlq")]
 *     queue     = [prefix "/"] use-case
 *     retry     = queue ".retry"            retries of the original, while they wait
 *     delay     = queue ".retry." milliseconds
 *     dead      = queue ".dlq"
 *     recent    = queue ":recent"           copies of the newest dead letters
 *     registry  = exchange ":registry"      what is declared in the namespace
 *     trials    = exchange ":trials"        trials of suspects
 *     pauses    = exchange ":paused"        use cases that are paused
 *     flag      = pauses ".flag"            a message that is never taken, while any is
 *     returned  = exchange ":returned"      what came back from retries of the original
 *     tail      = exchange ":tail." random  events that an operator watches, as long as he does
 *     lock      = queue ":lock"
 *
 * The version before had a registry for each use case, called queue ":declared".
 *
 * No two collide: a use case's name contains neither "/" nor ":", and names that end like the others are reserved.
 */
export class Names {
  readonly exchange: string;
  readonly retryExchange: string;
  readonly deadLetterExchange: string;
  readonly registry: string;
  readonly trials: string;
  readonly pauses: string;
  readonly pauseFlag: string;
  readonly returned: string;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
    this.exchange = `${this.#prefix}domain_events`;
    this.retryExchange = `${this.exchange}.retry`;
    this.deadLetterExchange = `${this.exchange}.dlq`;
    this.registry = `${this.exchange}:registry`;
    this.trials = `${this.exchange}:trials`;
    this.returned = `${this.exchange}:returned`;
    this.pauses = `${this.exchange}:paused`;
    this.pauseFlag = `${this.pauses}.flag`;
  }

  /** Names a queue for somebody who watches events. */
  newTail(): string {
    return `${this.exchange}:tail.${randomUUID()}`;
  }

  /** Names a use case's queue; also the routing key of what goes to this use case only. */
  queue(useCase: string): string {
    return this.#prefix + useCase;
  }
}

export function retryQueue(queue: string): string {
  return `${queue}.retry`;
}

export function delayQueue(queue: string, delay: number): string {
  return `${queue}.retry.${delay}`;
}

export function deadLetterQueue(queue: string): string {
  return `${queue}.dlq`;
}

export function recentQueue(queue: string): string {
  return `${queue}:recent`;
}

export function earlierRegistryQueue(queue: string): string {
  return `${queue}:declared`;
}
