import type { Finding } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import type { TopicSpec } from "../declarations/topology.ts";
import type { Operation } from "../wire/operations.ts";

/** What an operator who acts does with the topics, and what for. */
const ACTS: readonly (readonly [operation: Operation, acts: string])[] = [
  ["Read", "look into it"],
  ["Write", "pause, remove, redrive or purge"],
  ["Delete", "remove use cases"],
];

/** What this account may not do, as far as the brokers tell. */
export async function rightsFindings(
  cluster: Cluster,
  specs: readonly TopicSpec[],
  events: readonly string[],
): Promise<readonly Finding[]> {
  const internal = specs.map(({ topic }) => topic);
  const rights = await cluster.retried(() => cluster.client.rights([...internal, ...events]));
  return ACTS.flatMap(([operation, acts]): Finding[] => {
    const about = operation === "Read" ? [...internal, ...events] : internal;
    const without = about.filter((topic) => rights.get(topic)?.has(operation) === false);
    const [first, ...others] = without;
    if (first === undefined) return [];
    const more = others.length === 0 ? "" : ` and ${others.length} more topics`;
    return [
      {
        severity: "info",
        what: `This account has no right to ${operation} "${first}"${more}.`,
        why: `It cannot ${acts}. For an account that is only to look, that is as it should be.`,
        remedy: `If it is to: grant it ${operation} on topics that begin with "${cluster.names.prefix}--".`,
      },
    ];
  });
}
