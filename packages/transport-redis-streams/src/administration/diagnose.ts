import type { Finding } from "@papa-events/core/transport";
import type { Target } from "../client/options.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import type { Keys } from "../wire/keys.ts";
import { leftoverFindings } from "./findings/leftovers.ts";
import { namespaceFindings } from "./findings/namespace.ts";
import { rightsFindings } from "./findings/rights.ts";
import { serverFindings } from "./findings/server.ts";
import { useCaseFindings } from "./findings/use-cases.ts";
import { knownUseCases } from "./known-use-cases.ts";

export interface DiagnosisOptions {
  readonly target: Target;
  readonly keys: Keys;
  readonly connection: ReconnectingConnection;
}

/** Looks at the server, the account and all that the namespace has there. Changes nothing. */
export async function diagnose(options: DiagnosisOptions): Promise<readonly Finding[]> {
  const { keys, connection } = options;
  const useCases = await knownUseCases(keys, connection.client);
  const found = await Promise.all([
    serverFindings(options),
    rightsFindings(options),
    namespaceFindings(options),
    useCaseFindings(useCases, options),
    leftoverFindings(useCases, options),
  ]);
  return found.flat();
}
