import type { Cluster } from "../../src/client/cluster.ts";
import type { KafkaClient } from "../../src/client/kafka-client.ts";
import type { FetchedRecord } from "../../src/wire/records.ts";
import { quiet } from "./space.ts";

/** The records of the one partition that there is. */
export const TOPIC = "t";

/** A cluster, for as much of it as a group's only member asks for: one partition with some records, which it always gets. */
export function fakeGroup(
  records: readonly FetchedRecord[],
  client: Partial<KafkaClient>,
  cluster: object = {},
): Cluster {
  let generation = 0;
  const end = records.length;
  const all: Partial<KafkaClient> = {
    metadata: async () => ({ nodes: [1], topics: new Map(), refused: new Set() }),
    coordinator: async () => 1,
    join: async () => ({ memberId: "only", generation: (generation += 1), members: [] }),
    sync: async () => ({ assignment: { [TOPIC]: [0] }, userData: "" }),
    committed: async (_node, _group, partitions) =>
      partitions.map((source) => ({ ...source, offset: 0, metadata: "" })),
    commit: async () => [],
    heartbeat: async () => {},
    leave: async () => {},
    fetch: (_node, asked) => {
      const fresh = asked.filter(({ offset }) => offset < end);
      if (fresh.length === 0) return new Promise(() => {});
      const found = fresh.map(({ topic, partition, offset }) => {
        return { topic, partition, highWatermark: end, next: end, records: records.slice(offset) };
      });
      return Promise.resolve(found);
    },
    interruptFetches: () => {},
    close: () => {},
    ...client,
  };
  return {
    names: { registry: "registry", releaser: "releaser" },
    target: { sessionTimeout: 10_000 },
    logger: quiet,
    reachable: true,
    client: all,
    newClient: () => all,
    retried: (action: () => Promise<unknown>) => action(),
    refresh: async () => ({ topics: new Map() }),
    leader: async () => 1,
    idOf: () => undefined,
    isMissing: () => false,
    partitionsOf: () => 1,
    invalidate: () => {},
    ...cluster,
  } as unknown as Cluster;
}
