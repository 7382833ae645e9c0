import type { Administration, Finding, Tail, TailListener } from "@papa-events/core/transport";
import type { Target } from "../client/options.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { pause } from "../scripts/pause.ts";
import type { Keys } from "../wire/keys.ts";
import { diagnose } from "./diagnose.ts";
import { knownUseCases } from "./known-use-cases.ts";
import { removeUseCase } from "./remove-use-case.ts";
import { RedisTail } from "./tail.ts";

export interface AdministrationOptions {
  readonly target: Target;
  readonly keys: Keys;
  readonly connection: ReconnectingConnection;
  /** Shown in the server's list of clients. */
  readonly appName: string;
}

/** What operators do to a namespace. Opens nothing before it is asked to. */
export class RedisAdministration implements Administration {
  readonly #options: AdministrationOptions;
  readonly #tails = new Set<RedisTail>();
  #closed = false;

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  useCases(): Promise<readonly string[]> {
    const { keys, connection } = this.#options;
    return connection.withPapaErrors(knownUseCases(keys, connection.client));
  }

  async paused(): Promise<readonly string[]> {
    const { keys, connection } = this.#options;
    return (await connection.withPapaErrors(connection.client.hkeys(keys.paused))).sort();
  }

  async pause(useCase: string): Promise<void> {
    const { keys, connection } = this.#options;
    await connection.withPapaErrors(connection.run(pause, [keys.paused], [useCase]));
  }

  async resume(useCase: string): Promise<void> {
    const { keys, connection } = this.#options;
    await connection.withPapaErrors(connection.client.hdel(keys.paused, useCase));
  }

  remove(useCase: string, deadLetters: "keep" | "purge"): Promise<boolean> {
    const { keys, connection } = this.#options;
    return removeUseCase(useCase, { deadLetters }, keys, connection);
  }

  async tail(patterns: readonly string[], listener: TailListener): Promise<Tail> {
    const tail = await RedisTail.open(patterns, listener, {
      ...this.#options,
      onClosed: (closed) => void this.#tails.delete(closed),
    });
    if (tail.isOpen) this.#tails.add(tail);
    // The connection was closed meanwhile.
    if (this.#closed) await tail.end(this.#options.connection.lostError());
    return tail;
  }

  diagnose(): Promise<readonly Finding[]> {
    const { connection } = this.#options;
    return connection.withPapaErrors(diagnose(this.#options));
  }

  /** Ends the tails. */
  async close(): Promise<void> {
    this.#closed = true;
    const error = this.#options.connection.lostError();
    await Promise.all([...this.#tails].map((tail) => tail.end(error)));
  }
}
