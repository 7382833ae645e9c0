import type { Finding } from "@papa-events/core/transport";
import { isCluster } from "../../client/endpoint.ts";
import { isReply } from "../../client/errors.ts";
import type { DiagnosisOptions } from "../diagnose.ts";

/** A server with other data may have many millions of keys. It is looked through for so long. */
const MAX_SEARCH_MS = 3_000;
const KEYS_PER_STEP = 1_000;
const MAX_NAMED = 10;

/**
 * Finds keys of use cases that the namespace does not remember: what remains where somebody has deleted only a part of one, as
 * the guides of earlier versions said, or what another program has written.
 */
export async function leftoverFindings(
  useCases: readonly string[],
  { keys, connection }: DiagnosisOptions,
): Promise<readonly Finding[]> {
  const { client } = connection;
  const known = new Set(useCases);
  const left = new Map<string, string[]>();
  const deadline = performance.now() + MAX_SEARCH_MS;
  try {
    for (const node of isCluster(client) ? client.nodes("master") : [client]) {
      let cursor = "0";
      do {
        const [next, found] = await node.scan(cursor, "MATCH", `${keys.prefix}*`, "COUNT", KEYS_PER_STEP);
        cursor = next;
        for (const key of found) {
          const useCase = useCaseOf(key.slice(keys.prefix.length));
          if (useCase !== undefined && !known.has(useCase)) left.set(useCase, [...(left.get(useCase) ?? []), key]);
        }
      } while (cursor !== "0" && performance.now() < deadline);
    }
  } catch (error) {
    // An account that may not look through all keys.
    if (!isReply(error)) throw error;
    return [];
  }
  return [...left].slice(0, MAX_NAMED).map(([useCase, found]) => ({
    severity: "warning" as const,
    what: `keys of a use case "${useCase}" that nothing is bound to: ${[...new Set(found)].sort().join(", ")}`,
    why: "Somebody has deleted a part of it. The rest takes memory, and its dead letters can still be read.",
    remedy: `papa dlq list ${useCase}, then papa remove ${useCase}`,
  }));
}

/** The use case that a key is of, by what follows the namespace in its name. */
function useCaseOf(name: string): string | undefined {
  return /^(?:queue|due|waiting|dead|dead-order|trials):([A-Za-z0-9_.-]{1,100})$/.exec(name)?.[1];
}
