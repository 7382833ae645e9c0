import { PatternTrie, type UseCaseDeclaration } from "@papa-events/core/transport";
import type { Broker } from "../client/connections.ts";

/** How many use cases are declared at a time: each takes a dozen calls, of which a new queue takes the broker some 20 ms. */
const AT_A_TIME = 8;

/** What this app has declared, and how it is made on the broker. */
export class Declarations {
  readonly #broker: Broker;
  readonly #declared = new Map<string, readonly string[]>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** @throws PapaError `topology-conflict`, `access-refused`, `connection-failed` */
  async declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    await this.#broker.topology.exchanges();
    const left = [...useCases];
    const next = async () => {
      for (let each = left.shift(); each !== undefined; each = left.shift()) await this.#declare(each);
    };
    const done = await Promise.allSettled(Array.from({ length: Math.min(AT_A_TIME, left.length) }, next));
    const failed = done.find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** Makes one use case's queues anew, where somebody has deleted them. */
  async redeclare(useCase: string): Promise<void> {
    const { topology } = this.#broker;
    const patterns = this.#declared.get(useCase);
    if (patterns === undefined) return;
    await topology.exchanges();
    await topology.queues(useCase);
    await topology.bind(useCase, patterns);
  }

  /** The same for all, after the connection was lost: the broker may have been set up anew. */
  async redeclareAll(): Promise<void> {
    const left = [...this.#declared.keys()];
    const next = async () => {
      for (let each = left.shift(); each !== undefined; each = left.shift()) await this.redeclare(each);
    };
    await Promise.all(Array.from({ length: Math.min(AT_A_TIME, left.length) }, next));
  }

  withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const { registry, topology, names } = this.#broker;
    // The original's retries come back under the queue's own name, whatever patterns there are.
    const unbind = (withdrawn: readonly string[]) =>
      topology.unbind(
        useCase,
        withdrawn.filter((pattern) => pattern !== names.queue(useCase)),
      );
    return registry.withdraw(useCase, patterns, idle, unbind);
  }

  /** Whether any declaration of a use case matches a name. */
  async wants(useCase: string, name: string): Promise<boolean> {
    if (matches(this.#declared.get(useCase) ?? [], name)) return true;
    const shown = await this.#broker.registry.patterns(useCase);
    return matches(
      shown.map(({ pattern }) => pattern),
      name,
    );
  }

  /** What an event is called that has lost its name: as the only pattern says, if it says one name; else as the use case. */
  fallbackName(useCase: string): string {
    return onlyName(this.#declared.get(useCase) ?? []) ?? useCase;
  }

  /** The same for a use case that another app declares. */
  async storedFallbackName(useCase: string): Promise<string> {
    const own = this.#declared.get(useCase);
    if (own !== undefined) return onlyName(own) ?? useCase;
    const shown = await this.#broker.registry.patterns(useCase);
    return onlyName(shown.map(({ pattern }) => pattern)) ?? useCase;
  }

  /** Recorded and bound under one lock, so that no other instance withdraws a pattern in between. */
  async #declare({ name, patterns }: UseCaseDeclaration): Promise<void> {
    const { topology, registry } = this.#broker;
    await topology.queues(name);
    await registry.show(name, patterns, () => topology.bind(name, patterns));
    this.#declared.set(name, patterns);
  }
}

function onlyName(patterns: readonly string[]): string | undefined {
  const literal = patterns.filter((pattern) => !/[*#]/.test(pattern));
  return literal.length === 1 ? literal[0] : undefined;
}

function matches(patterns: readonly string[], name: string): boolean {
  const trie = new PatternTrie<true>();
  for (const pattern of patterns) trie.add(pattern, true);
  return trie.matches(name);
}
