import { encodeMetadata, METADATA_VERSION, type RawMetadata, readMetadata } from "../wire/metadata.ts";
import { type Operation, operationsOf } from "../wire/operations.ts";
import type { BrokerConnection } from "./broker-connection.ts";
import type { ClusterMetadata } from "./kafka-client.ts";
import type { RawOldMetadata } from "./kafkajs-responses.ts";

/** The number of the Metadata request. */
const METADATA = 3;
const TOPIC_AUTHORIZATION_FAILED = 29;

/** Asks for the brokers and some topics, in the version that tells the topics' ids where the broker has it. */
export async function askMetadata(
  connection: BrokerConnection,
  topics: readonly string[] | "all",
  withOperations = false,
): Promise<RawMetadata> {
  await connection.opened();
  if ((connection.versions[METADATA]?.maxVersion ?? 0) >= METADATA_VERSION)
    return connection.sendEncoded("Metadata", METADATA_VERSION, encodeMetadata(topics, withOperations), readMetadata);
  // kafkajs writes an empty list as null, which means all topics.
  const request = { topics: topics === "all" ? [] : topics, allowAutoTopicCreation: false };
  const { brokers, topicMetadata } = await connection.send<RawOldMetadata>("Metadata", request);
  return {
    brokers,
    topicMetadata: topicMetadata.map(({ topicErrorCode, topic, partitionMetadata }) => ({
      topicErrorCode,
      topic,
      partitionMetadata: partitionMetadata.map(({ partitionId, leader, replicas, isr }) => ({
        partitionId,
        leader,
        replicas: replicas.length,
        inSync: isr.length,
      })),
    })),
  };
}

/** What a response says of the topics that exist. */
export function clusterMetadataOf({ brokers, topicMetadata }: RawMetadata): ClusterMetadata {
  const existing = topicMetadata.filter(({ topicErrorCode }) => topicErrorCode === 0);
  const refused = topicMetadata.filter(({ topicErrorCode }) => topicErrorCode === TOPIC_AUTHORIZATION_FAILED);
  return {
    nodes: brokers.map(({ nodeId }) => nodeId),
    topics: new Map(
      existing.map(({ topic, id, partitionMetadata }) => [
        topic,
        {
          id,
          partitions: partitionMetadata
            .map(({ partitionId, leader, replicas, inSync }) => ({ partition: partitionId, leader, replicas, inSync }))
            .sort((a, b) => a.partition - b.partition),
        },
      ]),
    ),
    refused: new Set(refused.map(({ topic }) => topic)),
  };
}

/** What a response says of this account's rights, where it was asked for. */
export function rightsOf({ topicMetadata }: RawMetadata): ReadonlyMap<string, ReadonlySet<Operation>> {
  return new Map(
    topicMetadata.flatMap(({ topic, topicErrorCode, operations }) => {
      const allowed = topicErrorCode === 0 && operations !== undefined ? operationsOf(operations) : undefined;
      return allowed === undefined ? [] : [[topic, allowed] as const];
    }),
  );
}
