import { randomUUID } from "node:crypto";
import type { ShownPattern } from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { listPatterns } from "../scripts/list-patterns.ts";
import type { Argument, Script } from "../scripts/script.ts";
import { unbindStale } from "../scripts/unbind-stale.ts";
import type { Keys } from "../wire/keys.ts";

/** Reads which patterns are bound to a use case, by any instance, and unbinds those that no instance declares any more (R6). */
export class Registry {
  readonly #connection: ReconnectingConnection;
  readonly #keys: Keys;

  constructor(connection: ReconnectingConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async patterns(useCase: string): Promise<readonly ShownPattern[]> {
    const reply = (await this.#run(listPatterns, [this.#keys.bindings], [`${useCase} `])) as (string | number)[];
    const patterns: ShownPattern[] = [];
    for (let at = 0; at + 1 < reply.length; at += 2)
      patterns.push({ pattern: String(reply[at]), idle: Number(reply[at + 1]) });
    return patterns;
  }

  /** Unbinds those of `patterns` that no instance has declared for `idle` milliseconds. */
  async unbindStale(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const fields = patterns.map((pattern) => `${useCase} ${pattern}`);
    await this.#run(unbindStale, [this.#keys.version, this.#keys.bindings], [randomUUID(), idle, ...fields]);
  }

  #run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#connection.withPapaErrors(this.#connection.run(script, keys, args));
  }
}
