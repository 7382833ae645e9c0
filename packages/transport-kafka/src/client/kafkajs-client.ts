import { ALTER_CONFIGS_VERSION, encodeAlterConfig, readAlteredConfig } from "../wire/alter-configs.ts";
import { readFetch } from "../wire/fetch-response.ts";
import { DESCRIBE_GROUPS_VERSION, encodeDescribeGroup, readGroupDescription } from "../wire/group-description.ts";
import { errorOfCode, KafkaError } from "../wire/kafka-error.ts";
import { type Operation, operationsOf } from "../wire/operations.ts";
import { encodeCompressedProduce, encodeProduce } from "../wire/produce-request.ts";
import type { FetchResult, RecordBatch } from "../wire/records.ts";
import { groupByTopic, type PartitionOffset, type TopicPartition } from "../wire/topic-partition.ts";
import { askMetadata, clusterMetadataOf, rightsOf } from "./ask-metadata.ts";
import { BrokerPool } from "./broker-pool.ts";
import type { ClientSettings } from "./client-settings.ts";
import { assignmentOf, groupAssignment, groupProtocols, membersOf } from "./group-protocol.ts";
import type {
  ClusterMetadata,
  Commit,
  Configs,
  FetchLimits,
  GroupDescription,
  JoinRequest,
  JoinResult,
  KafkaClient,
  MemberAssignment,
  Membership,
  NewTopic,
  OffsetResult,
  ProduceResult,
  ProtocolVersions,
  RefusedCommit,
  SyncResult,
  TopicError,
} from "./kafka-client.ts";
import type {
  RawCommits,
  RawCommitted,
  RawConfigs,
  RawJoin,
  RawOffsets,
  RawProduce,
  RawTopicErrors,
} from "./kafkajs-responses.ts";

/** The number of the DescribeGroups request. */
const DESCRIBE_GROUPS = 15;
/** The number of the IncrementalAlterConfigs request. */
const ALTER_CONFIGS = 44;
/** What a commit is refused for that is no other partition's problem. */
const OF_ONE_PARTITION = new Set([
  "UNKNOWN_TOPIC_OR_PARTITION",
  "TOPIC_AUTHORIZATION_FAILED",
  "OFFSET_METADATA_TOO_LARGE",
]);
const RESOURCE_TYPE = { topic: 2, broker: 4 } as const;
/** How long a broker may wait for the other replicas. */
const PRODUCE_TIMEOUT_MS = 10_000;
const TOPICS_TIMEOUT_MS = 10_000;

/** Speaks Kafka's protocol through an engine's connections, by the codecs of kafkajs and our own. */
export class KafkajsClient implements KafkaClient {
  readonly #pool: BrokerPool;
  readonly #compression: ClientSettings["compression"];

  /** @param onLost called when a connection ends that was not closed from here */
  constructor(settings: ClientSettings, onLost: () => void = () => {}) {
    this.#pool = new BrokerPool(settings, onLost);
    this.#compression = settings.compression;
  }

  async metadata(topics: readonly string[] | "all"): Promise<ClusterMetadata> {
    const connection = await this.#pool.any();
    const response = await askMetadata(connection, topics);
    for (const { nodeId, host, port } of response.brokers) this.#pool.know(nodeId, { host, port });
    // Whoever has just got such a connection begins to use it within this turn.
    setImmediate(() => this.#pool.endSeeds());
    return clusterMetadataOf(response);
  }

  async reach(): Promise<void> {
    try {
      await this.#pool.anyKnown();
    } catch (error) {
      if (!(error instanceof KafkaError) || !error.retriable) throw error;
      const addresses = this.#pool.advertised.join(", ");
      const message = `None of the addresses that the brokers advertise (${addresses}) can be reached: ${error.message}`;
      throw new KafkaError(error.type, message, true, error);
    }
  }

  async versions(): Promise<ProtocolVersions> {
    const connection = await this.#pool.any();
    await connection.opened();
    return connection.versions;
  }

  async produce(node: number, batches: readonly RecordBatch[]): Promise<readonly ProduceResult[]> {
    const topics = groupByTopic(batches, (batch) => batch);
    const compression = this.#compression;
    const body =
      compression === undefined
        ? encodeProduce(topics, PRODUCE_TIMEOUT_MS)
        : await encodeCompressedProduce(topics, PRODUCE_TIMEOUT_MS, compression);
    const connection = await this.#pool.opened(node);
    const response = await connection.send<RawProduce>("Produce", {}, body);
    return response.topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode, baseOffset, logAppendTime }) => ({
        topic: topicName,
        partition,
        error: errorOfCode(errorCode),
        offset: Number(baseOffset),
        time: Number(logAppendTime ?? -1),
      })),
    );
  }

  async fetch(
    node: number,
    partitions: readonly PartitionOffset[],
    limits: FetchLimits,
  ): Promise<readonly FetchResult[]> {
    const connection = this.#pool.get(node, "fetches");
    const request = {
      maxWaitTime: limits.wait,
      minBytes: 1,
      maxBytes: limits.bytes,
      topics: groupByTopic(partitions, ({ partition, offset }) => ({
        partition,
        fetchOffset: offset,
        maxBytes: limits.bytesPerPartition,
      })),
    };
    return connection.send<readonly FetchResult[]>("Fetch", request, undefined, (raw, version) =>
      readFetch(raw, version, partitions),
    );
  }

  async listOffsets(
    node: number,
    partitions: readonly TopicPartition[],
    which: "earliest" | "latest" | "stable",
  ): Promise<readonly OffsetResult[]> {
    const timestamp = which === "earliest" ? -2 : -1;
    const response = await this.#send<RawOffsets>(node, "ListOffsets", {
      isolationLevel: which === "stable" ? 1 : 0,
      topics: groupByTopic(partitions, ({ partition }) => ({ partition, timestamp })),
    });
    return response.responses.flatMap(({ topic, partitions: found }) =>
      found.map(({ partition, errorCode, offset }) => ({
        topic,
        partition,
        error: errorOfCode(errorCode),
        offset: Number(offset),
      })),
    );
  }

  async createTopics(topics: readonly NewTopic[]): Promise<readonly TopicError[]> {
    const connection = await this.#pool.any();
    const response = await connection.send<RawTopicErrors>("CreateTopics", {
      timeout: TOPICS_TIMEOUT_MS,
      topics: topics.map(({ topic, partitions, replicationFactor, configs }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
      })),
    });
    return topicErrors(response);
  }

  async describeConfigs(kind: "topic" | "broker", names: readonly string[]): Promise<ReadonlyMap<string, Configs>> {
    const connection = kind === "broker" ? await this.#pool.opened(Number(names[0])) : await this.#pool.any();
    const response = await connection.send<RawConfigs>("DescribeConfigs", {
      resources: names.map((name) => ({ type: RESOURCE_TYPE[kind], name })),
    });
    const found = response.resources.filter(({ errorCode }) => errorCode === 0);
    return new Map(
      found.map(({ resourceName, configEntries }) => [
        resourceName,
        Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue ?? ""])),
      ]),
    );
  }

  async alterConfig(topic: string, name: string, value: string): Promise<void> {
    const connection = await this.#pool.any();
    await connection.opened();
    if (connection.versions[ALTER_CONFIGS] === undefined)
      throw new KafkaError("UNSUPPORTED_VERSION", "The broker cannot change a single setting.", false);
    const body = encodeAlterConfig(topic, name, value);
    throwOnError(
      await connection.sendEncoded("IncrementalAlterConfigs", ALTER_CONFIGS_VERSION, body, readAlteredConfig),
    );
  }

  async deleteRecords(node: number, offsets: readonly PartitionOffset[]): Promise<void> {
    await this.#send(node, "DeleteRecords", {
      topics: groupByTopic(offsets, ({ partition, offset }) => ({ partition, offset })),
    });
  }

  async coordinator(group: string): Promise<number> {
    const connection = await this.#pool.any();
    const response = await connection.send<{
      errorCode: number;
      coordinator: { nodeId: number; host: string; port: number };
    }>("GroupCoordinator", { groupId: group });
    throwOnError(response.errorCode);
    const { nodeId, host, port } = response.coordinator;
    this.#pool.know(nodeId, { host, port });
    return nodeId;
  }

  async join(node: number, request: JoinRequest): Promise<JoinResult> {
    const send = (memberId: string) =>
      this.#send<RawJoin>(node, "JoinGroup", {
        groupId: request.group,
        memberId,
        sessionTimeout: request.sessionTimeout,
        rebalanceTimeout: request.rebalanceTimeout,
        protocolType: "consumer",
        groupProtocols: groupProtocols(request.topics, request.userData),
      });
    let response = await send(request.memberId);
    if (errorOfCode(response.errorCode)?.type === "MEMBER_ID_REQUIRED") response = await send(response.memberId);
    throwOnError(response.errorCode);
    return {
      memberId: response.memberId,
      generation: response.generationId,
      members: membersOf(response),
    };
  }

  async sync(node: number, member: Membership, assignments: readonly MemberAssignment[]): Promise<SyncResult> {
    const response = await this.#send<{ errorCode: number; memberAssignment: Buffer }>(node, "SyncGroup", {
      ...memberFields(member),
      generationId: member.generation,
      groupAssignment: assignments.map(groupAssignment),
    });
    throwOnError(response.errorCode);
    return assignmentOf(response.memberAssignment);
  }

  async heartbeat(node: number, member: Membership): Promise<void> {
    const request = { ...memberFields(member), groupGenerationId: member.generation };
    throwOnError((await this.#send<{ errorCode: number }>(node, "Heartbeat", request)).errorCode);
  }

  async leave(node: number, group: string, memberId: string): Promise<void> {
    throwOnError((await this.#send<{ errorCode: number }>(node, "LeaveGroup", { groupId: group, memberId })).errorCode);
  }

  async commit(node: number, member: Membership, offsets: readonly Commit[]): Promise<readonly RefusedCommit[]> {
    const response = await this.#send<RawCommits>(node, "OffsetCommit", {
      ...memberFields(member),
      groupGenerationId: member.generation,
      topics: groupByTopic(offsets, ({ partition, offset, metadata }) => ({ partition, offset, metadata })),
    });
    return response.responses.flatMap(({ topic, partitions }) =>
      partitions.flatMap(({ partition, errorCode }) => {
        const error = errorOfCode(errorCode);
        if (error === undefined) return [];
        if (!OF_ONE_PARTITION.has(error.type)) throw error;
        return [{ topic, partition, error }];
      }),
    );
  }

  async committed(node: number, group: string, partitions: readonly TopicPartition[]): Promise<readonly Commit[]> {
    if (partitions.length === 0) return [];
    const response = await this.#send<RawCommitted>(node, "OffsetFetch", {
      groupId: group,
      topics: groupByTopic(partitions, ({ partition }) => ({ partition })),
    });
    throwOnError(response.errorCode ?? 0);
    return response.responses.flatMap(({ topic, partitions: found }) =>
      found.map(({ partition, offset, metadata, errorCode }) => {
        throwOnError(errorCode);
        return { topic, partition, offset: Number(offset), metadata: metadata ?? "" };
      }),
    );
  }

  async deleteTopics(topics: readonly string[]): Promise<readonly TopicError[]> {
    const connection = await this.#pool.any();
    return topicErrors(await connection.send<RawTopicErrors>("DeleteTopics", { topics, timeout: TOPICS_TIMEOUT_MS }));
  }

  async deleteGroup(node: number, group: string): Promise<void> {
    const response = await this.#send<{ results: readonly { errorCode: number }[] }>(node, "DeleteGroups", [group]);
    for (const { errorCode } of response.results) throwOnError(errorCode);
  }

  async describeGroup(node: number, group: string): Promise<GroupDescription> {
    const connection = await this.#pool.opened(node);
    if ((connection.versions[DESCRIBE_GROUPS]?.maxVersion ?? 0) < DESCRIBE_GROUPS_VERSION)
      throw new KafkaError("UNSUPPORTED_VERSION", "The broker does not tell of groups.", false);
    const body = encodeDescribeGroup(group);
    const { errorCode, state, members, operations } = await connection.sendEncoded(
      "DescribeGroups",
      DESCRIBE_GROUPS_VERSION,
      body,
      readGroupDescription,
    );
    throwOnError(errorCode);
    return { state, members, operations: operationsOf(operations) };
  }

  async rights(topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<Operation>>> {
    const connection = await this.#pool.any();
    return rightsOf(await askMetadata(connection, topics, true));
  }

  interruptFetches(): void {
    this.#pool.end("fetches");
  }

  interruptRequests(): void {
    this.#pool.end("requests");
  }

  close(): void {
    this.#pool.close();
  }

  async #send<T>(node: number, api: string, parameters: object): Promise<T> {
    return (await this.#pool.opened(node)).send<T>(api, parameters);
  }
}

function topicErrors(response: RawTopicErrors): readonly TopicError[] {
  return response.topicErrors.flatMap(({ topic, errorCode, errorMessage }) => {
    const error = errorOfCode(errorCode);
    if (error === undefined) return [];
    const text = typeof errorMessage === "string" && errorMessage !== "" ? errorMessage : error.message;
    return [{ topic, error: new KafkaError(error.type, text, error.retriable) }];
  });
}

function throwOnError(code: number): void {
  const error = errorOfCode(code);
  if (error !== undefined) throw error;
}

function memberFields({ group, memberId }: Membership): { groupId: string; memberId: string } {
  return { groupId: group, memberId };
}
