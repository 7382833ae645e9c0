import type { Declaration, DeclarationRecord, Declarations } from "@papa-events/core/transport";

/** What is declared, on every shard alike. */
export class ShardedDeclarations implements Declarations {
  readonly #shards: readonly Declarations[];

  constructor(shards: readonly Declarations[]) {
    this.#shards = shards;
  }

  async declare(declarations: readonly Declaration[]): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.declare(declarations)));
  }

  /** A declaration is as recent as it is on any shard. */
  async list(useCase?: string): Promise<readonly DeclarationRecord[]> {
    const lists = await Promise.all(
      this.#shards.map((shard) => (useCase === undefined ? shard.list() : shard.list(useCase))),
    );
    const records = new Map<string, DeclarationRecord>();
    for (const record of lists.flatMap((list) => list ?? [])) {
      const { id, app, patterns } = record;
      const key = JSON.stringify([record.useCase, id, app, id === undefined ? patterns : []]);
      const known = records.get(key);
      if (known === undefined) records.set(key, record);
      else
        records.set(key, {
          ...known,
          patterns: [...new Set([...known.patterns, ...patterns])],
          idle: Math.min(known.idle, record.idle),
        });
    }
    return [...records.values()];
  }

  async withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.withdraw(useCase, patterns, idle)));
  }
}
