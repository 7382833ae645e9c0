import { randomUUID } from "node:crypto";
import type { Declaration, DeclarationRecord, Declarations } from "@papa-events/core/transport";
import { topologyConflict } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { declare } from "../scripts/declare.ts";
import { listDeclarations } from "../scripts/list-declarations.ts";
import type { Argument, Script } from "../scripts/script.ts";
import { unbindStale } from "../scripts/unbind-stale.ts";
import { GROUP, type Keys } from "../wire/keys.ts";
import { type ListReply, toRecords } from "./records.ts";

/** What the apps of the namespace declare, as the server keeps it; this app's also again where the server may have lost it. */
export class RedisDeclarations implements Declarations {
  readonly #connection: ReconnectingConnection;
  readonly #keys: Keys;
  readonly #appName: string;
  readonly #declared = new Map<string, Declaration>();

  constructor(connection: ReconnectingConnection, keys: Keys, appName: string) {
    this.#connection = connection;
    this.#keys = keys;
    this.#appName = appName;
  }

  /** @throws PapaError `topology-conflict`, `access-refused`, `connection-failed` */
  async declare(declarations: readonly Declaration[]): Promise<void> {
    await this.#declare(declarations);
    for (const declaration of declarations) this.#declared.set(declaration.name, declaration);
  }

  async list(useCase?: string): Promise<readonly DeclarationRecord[]> {
    const { bindings, declarations } = this.#keys;
    const which = useCase === undefined ? "" : `${useCase} `;
    return toRecords((await this.#run(listDeclarations, [bindings, declarations], [which])) as ListReply);
  }

  /** The check and the removal are one step. */
  async withdraw(useCase: string, patterns: readonly string[], idle: number): Promise<void> {
    const { version, bindings, declarations } = this.#keys;
    await this.#run(unbindStale, [version, bindings, declarations], [randomUUID(), idle, `${useCase} `, ...patterns]);
  }

  /** Creates a use case's queue again after it was deleted. */
  async redeclare(useCase: string): Promise<void> {
    await this.#declare([this.#declared.get(useCase) ?? { name: useCase, patterns: [], id: "" }]);
  }

  /** Declares all of them again after a reconnect: a failover may have lost them. */
  async redeclareAll(): Promise<void> {
    await this.#declare([...this.#declared.values()]);
  }

  async #declare(declarations: readonly Declaration[]): Promise<void> {
    if (declarations.length === 0) return;
    const keys = [this.#keys.version, this.#keys.bindings, this.#keys.declarations];
    const args: Argument[] = [randomUUID(), GROUP, this.#appName];
    for (const { name, id, patterns } of declarations) {
      const { queue, leases, due, waiting, dead, deadOrder } = this.#keys.forUseCase(name);
      keys.push(queue, leases, due, waiting, dead, deadOrder);
      args.push(name, id, patterns.length, ...patterns);
    }
    const [key, found, expected] = (await this.#run(declare, keys, args)) as string[];
    if (key !== undefined) throw topologyConflict(key, found ?? "", expected ?? "");
  }

  #run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#connection.withPapaErrors(this.#connection.run(script, keys, args));
  }
}
