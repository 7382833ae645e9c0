import { randomUUID } from "node:crypto";
import type { UseCaseDeclaration } from "@papa-events/core/transport";
import { topologyConflict } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { declare } from "../scripts/declare.ts";
import type { Argument } from "../scripts/script.ts";
import { GROUP, type Keys } from "../wire/keys.ts";

/** Declares this app's use cases on the server, and again where the server may have lost them. */
export class Declarations {
  readonly #connection: ReconnectingConnection;
  readonly #keys: Keys;
  readonly #declared = new Map<string, UseCaseDeclaration>();

  constructor(connection: ReconnectingConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** @throws PapaError `topology-conflict`, `access-refused`, `connection-failed` */
  async declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    await this.#declare(useCases);
    for (const useCase of useCases) this.#declared.set(useCase.name, useCase);
  }

  /** Creates a use case's queue again after it was deleted. */
  async redeclare(useCase: string): Promise<void> {
    await this.#declare([this.#declared.get(useCase) ?? { name: useCase, patterns: [] }]);
  }

  /** Declares all of them again after a reconnect: a failover may have lost them. */
  async redeclareAll(): Promise<void> {
    await this.#declare([...this.#declared.values()]);
  }

  async #declare(useCases: readonly UseCaseDeclaration[]): Promise<void> {
    if (useCases.length === 0) return;
    const keys = [this.#keys.version, this.#keys.bindings];
    const args: Argument[] = [randomUUID(), GROUP];
    for (const { name, patterns } of useCases) {
      const { queue, leases, due, waiting, dead, deadOrder } = this.#keys.forUseCase(name);
      keys.push(queue, leases, due, waiting, dead, deadOrder);
      args.push(name, patterns.length, ...patterns);
    }
    const reply = await this.#connection.withPapaErrors(this.#connection.run(declare, keys, args));
    const [key, found, expected] = reply as string[];
    if (key !== undefined) throw topologyConflict(key, found ?? "", expected ?? "");
  }
}
