import type { Trials } from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { beginTrial } from "../scripts/begin-trial.ts";
import { endTrial } from "../scripts/end-trial.ts";
import type { Keys } from "../wire/keys.ts";

/** Records trials of suspects on the server, where they outlive every process (T6). */
export class RedisTrials implements Trials {
  readonly #connection: ReconnectingConnection;
  readonly #keys: Keys;

  constructor(connection: ReconnectingConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async begin(useCase: string, eventId: string, trial: string): Promise<number> {
    const { trials } = this.#keys.forUseCase(useCase);
    const command = this.#connection.run(beginTrial, [trials], [eventId, trial]);
    return (await this.#connection.withPapaErrors(command)) as number;
  }

  async end(useCase: string, eventId: string, trial = ""): Promise<void> {
    const { trials } = this.#keys.forUseCase(useCase);
    await this.#connection.withPapaErrors(this.#connection.run(endTrial, [trials], [eventId, trial]));
  }
}
