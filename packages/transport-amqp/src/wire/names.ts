/**
 * What everything is called on the broker. Without a prefix the names are those of the Python original:
 *
 *     exchange  = [prefix "/"] "domain_events" ["." ("retry" / "dlq")]
 *     queue     = [prefix "/"] use-case
 *     retry     = queue ".retry"            the original's waiting retries
 *     delay     = queue ".retry." milliseconds
 *     dead      = queue ".dlq"
 *     registry  = queue ":declared"
 *     lock      = queue ":" what ":lock"
 *
 * "/" and ":" are in no use case's name, and names that end like the others are reserved, so that no two collide.
 */
export class Names {
  readonly exchange: string;
  readonly retryExchange: string;
  readonly deadExchange: string;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
    this.exchange = `${this.#prefix}domain_events`;
    this.retryExchange = `${this.exchange}.retry`;
    this.deadExchange = `${this.exchange}.dlq`;
  }

  /** A use case's queue; also the routing key of what goes to this use case only. */
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

export function deadQueue(queue: string): string {
  return `${queue}.dlq`;
}

export function registryQueue(queue: string): string {
  return `${queue}:declared`;
}
