import { randomUUID } from "node:crypto";
import type { Declaration, DeclarationRecord, Declarations, Logger } from "@papa-events/core/transport";
import { isTransient, topologyConflict } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { declare } from "../scripts/declare.ts";
import { findMissing } from "../scripts/find-missing.ts";
import { listDeclarations } from "../scripts/list-declarations.ts";
import { restoreForgotten } from "../scripts/restore-forgotten.ts";
import type { Argument, Script } from "../scripts/script.ts";
import { unbindStale } from "../scripts/unbind-stale.ts";
import { GROUP, type Keys, RELEASED_CONSUMER } from "../wire/keys.ts";
import { type ListReply, toRecords } from "./records.ts";

/** How many use cases one script looks after. The server serves nobody else meanwhile. */
const MAX_USE_CASES_PER_SCRIPT = 128;
/** How many entries one script looks at, which may be large. */
const MAX_ENTRIES_PER_SCRIPT = 64;

export interface RedisDeclarationsOptions {
  readonly connection: ReconnectingConnection;
  /** A connection on which nothing takes long. */
  readonly control: ReconnectingConnection;
  readonly keys: Keys;
  readonly appName: string;
  readonly logger: Logger;
  /** Called when a use case of this app turns out to have been removed, once. */
  readonly onRemoved: (useCase: string) => void;
}

/** What the apps of the namespace declare, as the server keeps it; this app's also again where the server has lost it. */
export class RedisDeclarations implements Declarations {
  readonly #options: RedisDeclarationsOptions;
  readonly #declared = new Map<string, Declaration>();
  /** Those of this app that were removed on the server: it makes nothing of them anew (R9). */
  readonly #removed = new Set<string>();
  /** How many shards there are, if that is noted beside what is declared here. */
  #shards: number | undefined;

  constructor(options: RedisDeclarationsOptions) {
    this.#options = options;
  }

  /** @throws PapaError `topology-conflict`, `access-refused`, `connection-failed` */
  async declare(declarations: readonly Declaration[]): Promise<void> {
    if (declarations.every(({ name }) => this.#declared.has(name) || this.#removed.has(name))) {
      // What is only repeated is repeated as far as that can be: what looks stale would be withdrawn (R6, H8).
      const problem = await this.#declareAllThatCan(declarations);
      if (problem !== undefined) throw problem;
    } else await this.#declare(declarations);
    for (const declaration of declarations) {
      if (!this.#removed.has(declaration.name)) this.#declared.set(declaration.name, declaration);
    }
  }

  /** Notes the number of shards again wherever it is lost (L8). */
  noteShards(shards: number): void {
    this.#shards = shards;
  }

  /** Whether an operator has removed a use case that this app had declared. */
  isRemoved(useCase: string): boolean {
    return this.#removed.has(useCase);
  }

  async list(useCase?: string): Promise<readonly DeclarationRecord[]> {
    const { bindings, declarations, clock } = this.#options.keys;
    const which = useCase === undefined ? "" : `${useCase} `;
    return toRecords((await this.#run(listDeclarations, [bindings, declarations, clock], [which])) as ListReply);
  }

  /** The check and the removal are one step. */
  async withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const { version, bindings, declarations, clock } = this.#options.keys;
    const args = [randomUUID(), idle, `${useCase} `, ...patterns];
    await this.#run(unbindStale, [version, bindings, declarations, clock], args);
  }

  /** Makes a use case's queue again after it was deleted. */
  async redeclare(useCase: string): Promise<void> {
    await this.#declare([this.#declared.get(useCase) ?? { name: useCase, patterns: [], id: "" }]);
  }

  /**
   * Declares all of them again: a failover, or whoever flushed the database, may have lost them. What another try would not
   * change is told of by who looks for what is missing, and is no reason for all the others to wait (H8).
   *
   * @throws PapaError when another try may succeed
   */
  async redeclareAll(): Promise<void> {
    const problem = await this.#declareAllThatCan([...this.#declared.values()]);
    if (problem !== undefined && isTransient(problem)) throw problem;
  }

  /** Makes again what of this app's declarations is missing on the server, and what keeps events from being forgotten (L8). */
  async restoreMissing(): Promise<void> {
    const { control, keys, logger } = this.#options;
    let problem: unknown;
    for (const part of inParts([...this.#declared.values()])) {
      const args: Argument[] = [GROUP, this.#shards === undefined ? 0 : 1];
      for (const { name, patterns } of part)
        args.push(patterns.length, ...patterns.map((pattern) => `${name} ${pattern}`));
      const own = part.flatMap(({ name }) => {
        const { queue, due, waiting, dead, deadOrder } = keys.forUseCase(name);
        return [queue, due, waiting, dead, deadOrder];
      });
      const reply = await control.run(findMissing, [keys.version, keys.bindings, keys.shards, ...own], args);
      const [headMissing, indexes, forgetting] = reply as FindMissingReply;
      const missing = indexes.flatMap((index) => part[index] ?? []);
      if (headMissing === 1 && missing.length === 0) {
        logger.warn(
          {},
          "The version of the bindings, or the number of shards, was deleted on the server. It is made again.",
        );
        // With any declaration.
        missing.push(...part.slice(0, 1));
      }
      const error = await this.#declareAllThatCan(missing);
      problem ??= error;
      for (const index of forgetting) await this.#restoreForgotten(part[index]?.name ?? "");
    }
    if (problem !== undefined) throw problem;
  }

  /** A key of another type in place of a queue keeps no other from being made again. Gives the first error (H8). */
  async #declareAllThatCan(declarations: readonly Declaration[]): Promise<unknown> {
    try {
      await this.#declare(declarations);
      return undefined;
    } catch (error) {
      if (declarations.length === 1 || isTransient(error)) return error;
    }
    const problems: unknown[] = [];
    for (const declaration of declarations) problems.push(await this.#declareAllThatCan([declaration]));
    return problems.find((problem) => problem !== undefined);
  }

  async #restoreForgotten(useCase: string): Promise<void> {
    const { control, keys, logger } = this.#options;
    const { queue, leases, due, waiting, dead, deadOrder } = keys.forUseCase(useCase);
    let restored = 0;
    for (let after = "-"; after !== ""; ) {
      const args = [GROUP, RELEASED_CONSUMER, after, MAX_ENTRIES_PER_SCRIPT];
      const reply = await control.run(restoreForgotten, [queue, leases, due, waiting, dead, deadOrder], args);
      const [count, next] = reply as [number, string];
      restored += count;
      after = next;
    }
    if (restored > 0)
      logger.warn(
        { useCase, events: restored },
        "A consumer was deleted on the server, or the order of what waits or is dead. The events that it had or was about have their place again.",
      );
  }

  async #declare(declarations: readonly Declaration[]): Promise<void> {
    const own = declarations.filter(({ name }) => !this.#removed.has(name));
    for (const part of inParts(own)) await this.#declarePart(part);
  }

  async #declarePart(declarations: readonly Declaration[]): Promise<void> {
    const { appName, logger } = this.#options;
    const { version, bindings, declarations: declared, removed, clock, useCases, shards } = this.#options.keys;
    const keys = [version, bindings, declared, removed, clock, useCases, shards];
    const args: Argument[] = [randomUUID(), GROUP, appName, this.#shards ?? ""];
    const again = declarations.map(({ name }) => this.#declared.has(name));
    for (const [index, { name, id, patterns }] of declarations.entries()) {
      const { queue, leases, due, waiting, dead, deadOrder } = this.#options.keys.forUseCase(name);
      keys.push(queue, leases, due, waiting, dead, deadOrder);
      args.push(name, id, again[index] === true ? 1 : 0, patterns.length, ...patterns);
    }
    const [conflict, gone, made] = (await this.#run(declare, keys, args)) as DeclareReply;
    const [key, found = "", expected = ""] = conflict;
    if (key !== undefined) throw topologyConflict(key, found, expected);
    const remade = made.flatMap((index) => (again[index] === true ? (declarations[index]?.name ?? []) : []));
    if (remade.length > 0)
      logger.warn(
        { useCases: remade },
        "Queues or bindings were missing on the server: they were deleted, the database was flushed, or a failover lost them. They are made again.",
      );
    for (const index of gone) this.#noteRemoved(declarations[index]?.name ?? "");
  }

  #noteRemoved(useCase: string): void {
    if (this.#removed.has(useCase)) return;
    this.#removed.add(useCase);
    this.#declared.delete(useCase);
    this.#options.onRemoved(useCase);
  }

  #run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const { connection } = this.#options;
    return connection.withPapaErrors(connection.run(script, keys, args));
  }
}

/** As the script says. */
type DeclareReply = readonly [conflict: readonly string[], removed: readonly number[], made: readonly number[]];

/** As the script says. */
type FindMissingReply = readonly [head: 0 | 1, missing: readonly number[], forgetting: readonly number[]];

function inParts<T>(all: readonly T[]): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = [];
  for (let from = 0; from < all.length; from += MAX_USE_CASES_PER_SCRIPT)
    parts.push(all.slice(from, from + MAX_USE_CASES_PER_SCRIPT));
  return parts;
}
