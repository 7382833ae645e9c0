import type { TopicPartition } from "../wire/topic-partition.ts";
import { type IdOf, idKey, type Positions } from "./bindings.ts";

interface Removal {
  /** Where the delay topic ended: what waits below counts no more. */
  readonly positions: Positions;
  /** Whether somebody has declared it anew. */
  declared: boolean;
}

/** The use cases that operators have removed (R9). */
export class RemovedUseCases {
  readonly #idOf: IdOf;
  readonly #removals = new Map<string, Removal>();

  constructor(idOf: IdOf) {
    this.#idOf = idOf;
  }

  add(useCase: string, positions: Positions): void {
    this.#removals.set(useCase, { positions, declared: false });
  }

  declaredAnew(useCase: string): void {
    const removal = this.#removals.get(useCase);
    if (removal !== undefined) removal.declared = true;
  }

  /** Whether it is removed, and nobody has declared it anew. */
  has(useCase: string): boolean {
    return this.#removals.get(useCase)?.declared === false;
  }

  /** Whether an event that waits at an offset of the delay topic went with its use case. */
  include(useCase: string, { topic, partition }: TopicPartition, offset: number): boolean {
    const removal = this.#removals.get(useCase);
    if (removal === undefined) return false;
    if (!removal.declared) return true;
    const { positions } = removal;
    const [then] = positions[idKey(topic)] ?? [];
    const now = this.#idOf(topic);
    const isAnew = then !== undefined && now !== undefined && then !== now;
    return !isAnew && offset < (positions[topic]?.[partition] ?? 0);
  }
}
