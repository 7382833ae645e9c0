import type { Declaration, DeclarationRecord, Declarations, Trials } from "@papa-events/core/transport";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import type { BrokerConnection } from "./broker-connection.ts";
import type { Network } from "./network.ts";
import type { Link } from "./pipe.ts";
import { refusedForNow } from "./refusals.ts";

/** The declarations kept in the broker, over the network. */
export function networkDeclarations(
  network: Network,
  process: SimulatedProcess,
  inner: BrokerConnection,
  app: string,
  link: Link,
): Declarations {
  const { history, plan } = network;
  function list(useCase: string): Promise<readonly DeclarationRecord[]>;
  function list(useCase?: undefined): Promise<readonly DeclarationRecord[] | undefined>;
  function list(useCase?: string): Promise<readonly DeclarationRecord[] | undefined> {
    if (useCase !== undefined) return link.call(() => inner.declarations.list(useCase));
    return link.call(async () => (plan.declarationsComplete ? inner.declarations.list() : undefined));
  }
  return {
    list,
    declare: (declarations: readonly Declaration[]) =>
      link.call(async () => {
        const declared = inner.declarations.declare(declarations);
        await declared;
        for (const { name, id, patterns } of declarations)
          history.add({
            kind: "declares",
            process: process.name,
            app,
            useCase: name,
            declaration: id,
            patterns: [...patterns],
          });
      }),
    withdraw: (useCase, patterns, idle) =>
      link.call(async () => {
        await inner.declarations.withdraw(useCase, patterns, idle);
        history.add({ kind: "withdraws", process: process.name, useCase, patterns: [...patterns], idle });
      }),
  };
}

/** The trials recorded in the broker, over the network. */
export function networkTrials(
  network: Network,
  process: SimulatedProcess,
  inner: Trials,
  link: Link,
  isClosed: () => boolean,
): Trials {
  return {
    begin: (useCase, eventId, trial) =>
      link.call(async () => {
        if (network.weather.refuses("settlements")) throw refusedForNow();
        const deaths = await inner.begin(useCase, eventId, trial);
        network.history.add({ kind: "begins a trial", process: process.name, useCase, id: eventId, trial, deaths });
        return deaths;
      }),
    end: (useCase, eventId, trial) =>
      link.call(async () => {
        // What comes after the connection has been closed does nothing.
        if (isClosed()) return;
        if (network.weather.refuses("settlements")) throw refusedForNow();
        await inner.end(useCase, eventId, trial);
        network.history.add({ kind: "takes a trial back", process: process.name, useCase, id: eventId, trial });
      }),
  };
}
