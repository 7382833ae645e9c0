import type { Target } from "../brokers/target.ts";
import { ofBrokers } from "./brokers.ts";
import { ofClusters } from "./clusters.ts";
import { ofConnections } from "./connections.ts";
import { ofFleets } from "./fleets.ts";
import { ofProcesses } from "./processes.ts";
import { redisScenarios } from "./redis.ts";
import type { Scenario } from "./scenario.ts";

export { anythingKilled } from "./anything.ts";
export type { Scenario } from "./scenario.ts";

/** All that have a name of their own. */
export const scenarios: readonly Scenario[] = [
  ...ofProcesses,
  ...ofConnections,
  ...ofBrokers,
  ...ofFleets,
  ...ofClusters,
  ...redisScenarios,
];

/** Whether it can happen to a broker. */
export function canHappen({ kind, clustered, full = false }: Scenario, target: Target): boolean {
  if (kind !== undefined && kind !== target.kind) return false;
  if (full && target.operator.fill === undefined) return false;
  return clustered === undefined || clustered === (target.clustered === true);
}
