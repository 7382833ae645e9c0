import assigner from "kafkajs/src/consumer/assignerProtocol.js";
import { readFetch } from "../wire/fetch-response.ts";
import { encodeProduce } from "../wire/produce-request.ts";
import { Wire } from "./broker-connection.ts";
import type { Address, ClientSettings } from "./client-settings.ts";
import type {
  Assignment,
  ClusterMetadata,
  Commit,
  Configs,
  FetchLimits,
  FetchPartition,
  FetchResult,
  JoinAnswer,
  JoinRequest,
  KafkaClient,
  MemberAssignment,
  Membership,
  NewTopic,
  OffsetResult,
  Place,
  PlaceAt,
  ProduceResult,
  ProtocolVersions,
  RecordBatch,
  TopicError,
} from "./kafka-client.ts";
import { KafkaError } from "./kafka-client.ts";
import type {
  RawCommitted,
  RawConfigs,
  RawErrors,
  RawJoin,
  RawMetadata,
  RawOffsets,
  RawProduce,
} from "./kafkajs-answers.ts";
import { errorOfCode } from "./kafkajs-errors.ts";

const PROTOCOL = "papa-events";
const RESOURCE = { topic: 2, broker: 4 } as const;
/** How long a broker may wait for the other copies. */
const STORING = 10_000;
const CREATING = 10_000;

type Purpose = "requests" | "fetches";

/** Kafka's protocol through kafkajs's connections and codecs; none of kafkajs's producer, consumer or admin. */
export class KafkajsClient implements KafkaClient {
  readonly #settings: ClientSettings;
  readonly #onLost: () => void;
  readonly #addresses = new Map<number, Address>();
  readonly #wires = new Map<string, Wire>();
  #seed = 0;
  #closed = false;

  /** @param onLost called when a connection ends that was not closed from here */
  constructor(settings: ClientSettings, onLost: () => void = () => {}) {
    this.#settings = settings;
    this.#onLost = onLost;
  }

  async metadata(topics: readonly string[] | "all"): Promise<ClusterMetadata> {
    const wire = await this.#anyWire();
    // kafkajs writes an empty list as null, which means all topics.
    const answer = await wire.send<RawMetadata>("Metadata", {
      topics: topics === "all" ? [] : topics,
      allowAutoTopicCreation: false,
    });
    for (const { nodeId, host, port } of answer.brokers) this.#know(nodeId, { host, port });
    this.#endSeeds();
    const existing = answer.topicMetadata.filter(({ topicErrorCode }) => topicErrorCode === 0);
    return {
      nodes: answer.brokers.map(({ nodeId }) => nodeId),
      topics: new Map(
        existing.map(({ topic, partitionMetadata }) => [
          topic,
          {
            partitions: partitionMetadata
              .map(({ partitionId, leader }) => ({ partition: partitionId, leader }))
              .sort((a, b) => a.partition - b.partition),
          },
        ]),
      ),
    };
  }

  async versions(): Promise<ProtocolVersions> {
    const wire = await this.#anyWire();
    await wire.opened();
    return wire.versions;
  }

  async produce(node: number, batches: readonly RecordBatch[]): Promise<readonly ProduceResult[]> {
    const topics = byTopic(batches, (batch) => batch);
    const wire = await this.#opened(node);
    const answer = await wire.send<RawProduce>("Produce", {}, encodeProduce(topics, STORING));
    return answer.topics.flatMap(({ topicName, partitions }) =>
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
    partitions: readonly FetchPartition[],
    limits: FetchLimits,
  ): Promise<readonly FetchResult[]> {
    const wire = this.#wire(node, "fetches");
    const request = {
      maxWaitTime: limits.wait,
      minBytes: 1,
      maxBytes: limits.bytes,
      topics: byTopic(partitions, ({ partition, offset }) => ({
        partition,
        fetchOffset: offset,
        maxBytes: limits.bytesPerPartition,
      })),
    };
    return wire.send<readonly FetchResult[]>("Fetch", request, undefined, (raw, version) =>
      readFetch(raw, version, partitions),
    );
  }

  async listOffsets(
    node: number,
    partitions: readonly Place[],
    which: "earliest" | "latest",
  ): Promise<readonly OffsetResult[]> {
    const timestamp = which === "latest" ? -1 : -2;
    const answer = await this.#send<RawOffsets>(node, "ListOffsets", {
      isolationLevel: 0,
      topics: byTopic(partitions, ({ partition }) => ({ partition, timestamp })),
    });
    return answer.responses.flatMap(({ topic, partitions: found }) =>
      found.map(({ partition, errorCode, offset }) => ({
        topic,
        partition,
        error: errorOfCode(errorCode),
        offset: Number(offset),
      })),
    );
  }

  async createTopics(topics: readonly NewTopic[]): Promise<readonly TopicError[]> {
    const wire = await this.#anyWire();
    const answer = await wire.send<{
      topicErrors: readonly { topic: string; errorCode: number; errorMessage?: string }[];
    }>("CreateTopics", {
      timeout: CREATING,
      topics: topics.map(({ topic, partitions, replicationFactor, configs }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
      })),
    });
    return answer.topicErrors.flatMap(({ topic, errorCode, errorMessage }) => {
      const error = errorOfCode(errorCode);
      if (error === undefined) return [];
      const text = typeof errorMessage === "string" && errorMessage !== "" ? errorMessage : error.message;
      return [{ topic, error: new KafkaError(error.type, text, error.retriable) }];
    });
  }

  async describeConfigs(kind: "topic" | "broker", names: readonly string[]): Promise<ReadonlyMap<string, Configs>> {
    const wire = kind === "broker" ? await this.#opened(Number(names[0])) : await this.#anyWire();
    const answer = await wire.send<RawConfigs>("DescribeConfigs", {
      resources: names.map((name) => ({ type: RESOURCE[kind], name })),
    });
    const found = answer.resources.filter(({ errorCode }) => errorCode === 0);
    return new Map(
      found.map(({ resourceName, configEntries }) => [
        resourceName,
        Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue ?? ""])),
      ]),
    );
  }

  async deleteRecords(node: number, offsets: readonly PlaceAt[]): Promise<void> {
    await this.#send(node, "DeleteRecords", {
      topics: byTopic(offsets, ({ partition, offset }) => ({ partition, offset })),
    });
  }

  async coordinator(group: string): Promise<number> {
    const wire = await this.#anyWire();
    const answer = await wire.send<{ errorCode: number; coordinator: { nodeId: number; host: string; port: number } }>(
      "GroupCoordinator",
      { groupId: group },
    );
    throwIf(answer.errorCode);
    const { nodeId, host, port } = answer.coordinator;
    this.#know(nodeId, { host, port });
    return nodeId;
  }

  async join(node: number, request: JoinRequest): Promise<JoinAnswer> {
    const ask = (memberId: string) =>
      this.#send<RawJoin>(node, "JoinGroup", {
        groupId: request.group,
        memberId,
        sessionTimeout: request.sessionTimeout,
        rebalanceTimeout: request.rebalanceTimeout,
        protocolType: "consumer",
        groupProtocols: [
          {
            name: PROTOCOL,
            metadata: assigner.MemberMetadata.encode({
              version: 1,
              topics: request.topics,
              userData: Buffer.from(request.userData),
            }),
          },
        ],
      });
    let answer = await ask(request.memberId);
    if (errorOfCode(answer.errorCode)?.type === "MEMBER_ID_REQUIRED") answer = await ask(answer.memberId);
    throwIf(answer.errorCode);
    return {
      memberId: answer.memberId,
      generation: answer.generationId,
      members: answer.members.map(({ memberId, memberMetadata }) => {
        const { topics, userData } = assigner.MemberMetadata.decode(memberMetadata);
        return { memberId, topics, userData: userData?.toString() ?? "" };
      }),
    };
  }

  async sync(node: number, member: Membership, assignments: readonly MemberAssignment[]): Promise<Assignment> {
    const answer = await this.#send<{ errorCode: number; memberAssignment: Buffer }>(node, "SyncGroup", {
      ...groupMember(member),
      generationId: member.generation,
      groupAssignment: assignments.map(({ memberId, assignment }) => ({
        memberId,
        memberAssignment: assigner.MemberAssignment.encode({ version: 1, assignment: mutable(assignment) }),
      })),
    });
    throwIf(answer.errorCode);
    return assigner.MemberAssignment.decode(answer.memberAssignment)?.assignment ?? {};
  }

  async heartbeat(node: number, member: Membership): Promise<void> {
    const request = { ...groupMember(member), groupGenerationId: member.generation };
    throwIf((await this.#send<{ errorCode: number }>(node, "Heartbeat", request)).errorCode);
  }

  async leave(node: number, group: string, memberId: string): Promise<void> {
    throwIf((await this.#send<{ errorCode: number }>(node, "LeaveGroup", { groupId: group, memberId })).errorCode);
  }

  async commit(node: number, member: Membership, offsets: readonly Commit[]): Promise<void> {
    const answer = await this.#send<RawErrors>(node, "OffsetCommit", {
      ...groupMember(member),
      groupGenerationId: member.generation,
      topics: byTopic(offsets, ({ partition, offset, metadata }) => ({ partition, offset, metadata })),
    });
    for (const { partitions } of answer.responses) for (const { errorCode } of partitions) throwIf(errorCode);
  }

  async committed(node: number, group: string, partitions: readonly Place[]): Promise<readonly Commit[]> {
    if (partitions.length === 0) return [];
    const answer = await this.#send<RawCommitted>(node, "OffsetFetch", {
      groupId: group,
      topics: byTopic(partitions, ({ partition }) => ({ partition })),
    });
    throwIf(answer.errorCode ?? 0);
    return answer.responses.flatMap(({ topic, partitions: found }) =>
      found.map(({ partition, offset, metadata, errorCode }) => {
        throwIf(errorCode);
        return { topic, partition, offset: Number(offset), metadata: metadata ?? "" };
      }),
    );
  }

  interruptFetches(): void {
    this.#end("fetches");
  }

  interruptRequests(): void {
    this.#end("requests");
  }

  close(): void {
    this.#closed = true;
    for (const wire of this.#wires.values()) wire.end();
    this.#wires.clear();
  }

  #know(node: number, address: Address): void {
    const known = this.#addresses.get(node);
    if (known?.host === address.host && known.port === address.port) return;
    this.#addresses.set(node, address);
    for (const purpose of ["requests", "fetches"]) this.#wires.delete(`${purpose} ${node}`);
  }

  /** The addresses that were given have done their part once the brokers' own are known. */
  #endSeeds(): void {
    this.#end("seed");
  }

  #end(purpose: Purpose | "seed"): void {
    for (const [key, wire] of this.#wires) {
      if (!key.startsWith(purpose)) continue;
      this.#wires.delete(key);
      wire.end();
    }
  }

  async #send<T>(node: number, api: string, parameters: object): Promise<T> {
    return (await this.#opened(node)).send<T>(api, parameters);
  }

  async #opened(node: number): Promise<Wire> {
    const wire = this.#wire(node, "requests");
    await wire.opened();
    return wire;
  }

  #wire(node: number, purpose: Purpose): Wire {
    const address = this.#addresses.get(node);
    if (address === undefined)
      throw new KafkaError("BROKER_NOT_AVAILABLE", `The address of broker ${node} is not known.`, true);
    return this.#wireTo(`${purpose} ${node}`, address);
  }

  #wireTo(key: string, { host, port }: Address): Wire {
    if (this.#closed) throw new KafkaError("CLOSED", "The client is closed.", false);
    const known = this.#wires.get(key);
    if (known?.usable) return known;
    const wire: Wire = new Wire(host, port, this.#settings, () => {
      if (this.#wires.get(key) !== wire) return;
      this.#wires.delete(key);
      if (!this.#closed) this.#onLost();
    });
    this.#wires.set(key, wire);
    return wire;
  }

  /** A connection to any broker: an open one, else one that can be opened, else one of those it was told of. */
  async #anyWire(): Promise<Wire> {
    let problem: unknown;
    const known = [...this.#addresses.keys()].sort(
      (a, b) => Number(this.#isOpen(b)) - Number(this.#isOpen(a)) || Math.random() - 0.5,
    );
    for (const node of known) {
      try {
        return await this.#opened(node);
      } catch (error) {
        problem = error;
        if (error instanceof KafkaError && error.type === "AUTHENTICATION") throw error;
      }
    }
    const { brokers } = this.#settings;
    for (let tries = 0; tries < brokers.length; tries += 1) {
      const address = brokers[this.#seed++ % brokers.length];
      if (address === undefined) break;
      try {
        const wire = this.#wireTo(`seed ${address.host}:${address.port}`, address);
        await wire.opened();
        return wire;
      } catch (error) {
        problem = error;
        if (error instanceof KafkaError && error.type === "AUTHENTICATION") throw error;
      }
    }
    throw problem ?? new KafkaError("CONNECTION", "There is no broker to connect to.", true);
  }

  #isOpen(node: number): boolean {
    return this.#wires.get(`requests ${node}`)?.usable === true;
  }
}

function throwIf(code: number): void {
  const error = errorOfCode(code);
  if (error !== undefined) throw error;
}

function groupMember({ group, memberId }: Membership): { groupId: string; memberId: string } {
  return { groupId: group, memberId };
}

function mutable(assignment: Assignment): Record<string, number[]> {
  return Object.fromEntries(Object.entries(assignment).map(([topic, partitions]) => [topic, [...partitions]]));
}

function byTopic<P extends Place, R>(
  places: readonly P[],
  partitionOf: (place: P) => R,
): { topic: string; partitions: R[] }[] {
  const topics = new Map<string, R[]>();
  for (const place of places) {
    const partitions = topics.get(place.topic);
    if (partitions === undefined) topics.set(place.topic, [partitionOf(place)]);
    else partitions.push(partitionOf(place));
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}
