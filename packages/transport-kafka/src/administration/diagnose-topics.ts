import type { Finding } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import type { Configs, PartitionMetadata, TopicMetadata } from "../client/kafka-client.ts";
import type { TopicSpec, Topology } from "../declarations/topology.ts";

const WEEK_MS = 7 * 86_400_000;
/** The largest payload that an app takes unless set otherwise. */
const MAX_PAYLOAD_BYTES = 1_048_576;
/** With its headers. */
const MAX_EVENT_BYTES = MAX_PAYLOAD_BYTES + 131_072;
/** With so many copies one may be lost while another is down. */
const SAFE_REPLICAS = 3;

/** What is to be said of the topics of a namespace. */
export async function topicFindings(
  cluster: Cluster,
  topology: Topology,
  specs: readonly TopicSpec[],
  topics: ReadonlyMap<string, TopicMetadata>,
  nodes: number,
): Promise<readonly Finding[]> {
  if (specs.length === 0) return [];
  const findings: Finding[] = [];
  const names = specs.map(({ topic }) => topic);
  const configs = await cluster.client.describeConfigs("topic", names).catch((error: unknown) => {
    cluster.logger.debug({ err: error }, "The settings of topics could not be read.");
    return new Map<string, Configs>();
  });
  const unread = names.filter((topic) => !configs.has(topic));
  if (unread.length > 0)
    findings.push({
      severity: "info",
      what: `This account may not read the settings of ${listed(unread)}.`,
      why: "Their retention and durability were not looked at.",
      remedy: "Grant it DescribeConfigs on these topics.",
    });
  for (const { topic, difference } of await topology.differences(specs).catch(() => []))
    findings.push({
      severity: "error",
      what: `The topic "${topic}" is not as required: ${difference}.`,
      why: "Events could be lost or never come back; apps that need it do not start.",
      remedy: "Change its settings, or delete it when it is empty.",
    });
  for (const { topic, kind } of specs) {
    const settings = configs.get(topic) ?? {};
    findings.push(...ofReplicas(topic, topics.get(topic)?.partitions ?? [], settings, nodes));
    if (kind === "events" || kind === "existing") findings.push(...ofEvents(topic, settings));
    if (kind === "existing" && settings["cleanup.policy"]?.includes("compact") === true)
      findings.push(compacted(topic));
  }
  return findings;
}

function ofReplicas(
  topic: string,
  partitions: readonly PartitionMetadata[],
  settings: Configs,
  nodes: number,
): readonly Finding[] {
  const findings: Finding[] = [];
  const minInSync = Number(settings["min.insync.replicas"] ?? 1);
  const leaderless = partitions.filter(({ leader }) => leader < 0);
  const short = partitions.filter(({ leader, inSync }) => leader >= 0 && inSync < minInSync);
  const behind = partitions.filter(({ leader, replicas, inSync }) => leader >= 0 && inSync < replicas);
  if (leaderless.length > 0)
    findings.push({
      severity: "error",
      what: `The topic "${topic}" has no leader for partition ${numbers(leaderless)}.`,
      why: "Nothing can be read from there or written to it until a broker that holds it is back.",
      remedy: "Start the brokers that hold it: kafka-topics.sh --describe --unavailable-partitions",
    });
  if (short.length > 0)
    findings.push({
      severity: "error",
      what: `The topic "${topic}" has fewer copies in sync than min.insync.replicas (${minInSync}) in partition ${numbers(short)}.`,
      why: "Nothing can be stored there: publishing waits and is then refused, and what fails is handled again.",
      remedy: "Bring the missing brokers back, or look at their disks.",
    });
  else if (behind.length > 0)
    findings.push({
      severity: "warning",
      what: `The topic "${topic}" has copies that are not in sync in partition ${numbers(behind)}.`,
      why: "Another broker that is lost may stop publishing, or take events with it.",
      remedy: "Bring the missing brokers back, or look at their disks and at the network.",
    });
  const replicas = Math.min(...partitions.map((each) => each.replicas));
  if (nodes > 1 && replicas === 1)
    findings.push({
      severity: "warning",
      what: `The topic "${topic}" has one copy of each event.`,
      why: "While a broker is down its part cannot be read or written, and with its disk it is lost.",
      remedy:
        "Add replicas: kafka-reassign-partitions.sh; for new topics set the cluster's default.replication.factor to 3.",
    });
  if (replicas >= SAFE_REPLICAS && minInSync === 1 && settings["min.insync.replicas"] !== undefined)
    findings.push({
      severity: "warning",
      what: `The topic "${topic}" has min.insync.replicas=1.`,
      why: "An event may be confirmed that only one broker has, and is lost with it.",
      remedy: `kafka-configs.sh --alter --topic ${topic} --add-config min.insync.replicas=2`,
    });
  if (replicas > 1 && minInSync >= replicas)
    findings.push({
      severity: "warning",
      what: `The topic "${topic}" has min.insync.replicas=${minInSync} and ${replicas} copies.`,
      why: "One broker that is down stops all publishing to it.",
      remedy: "Lower min.insync.replicas, or add a replica.",
    });
  return findings;
}

/** That of its own topics is an error. */
function compacted(topic: string): Finding {
  return {
    severity: "warning",
    what: `The topic "${topic}" of the option \`topics\` is compacted.`,
    why: "Of several events with one key Kafka may drop all but the last before they are read, and a deletion (no value) becomes a dead letter.",
    remedy: "Ask its owner whether every event counts; if so, its cleanup.policy has to be delete.",
  };
}

function ofEvents(topic: string, settings: Configs): readonly Finding[] {
  const findings: Finding[] = [];
  const retention = Number(settings["retention.ms"] ?? -1);
  if (retention >= 0 && retention < WEEK_MS)
    findings.push({
      severity: "warning",
      what: `The topic "${topic}" keeps events for ${Math.round(retention / 3_600_000)} h (retention.ms=${retention}).`,
      why: "A use case that is away for longer, or that far behind, loses them.",
      remedy: `kafka-configs.sh --alter --topic ${topic} --add-config retention.ms=${WEEK_MS}`,
    });
  const bytes = Number(settings["retention.bytes"] ?? -1);
  if (bytes >= 0)
    findings.push({
      severity: "info",
      what: `The topic "${topic}" keeps ${bytes} bytes of each partition (retention.bytes).`,
      why: "How long events are kept then depends on how many come; a use case that is further behind loses them.",
      remedy: `Make sure that it is enough, or: kafka-configs.sh --alter --topic ${topic} --add-config retention.bytes=-1`,
    });
  const largest = Number(settings["max.message.bytes"] ?? Number.POSITIVE_INFINITY);
  if (largest < MAX_PAYLOAD_BYTES)
    findings.push({
      severity: "info",
      what: `The topic "${topic}" takes events of up to ${largest} bytes (max.message.bytes).`,
      why: "Larger ones are refused when they are published, although apps allow payloads of 1 MiB unless told otherwise.",
      remedy: `Set maxPayloadBytes of the apps below that, or: kafka-configs.sh --alter --topic ${topic} --add-config max.message.bytes=${MAX_EVENT_BYTES}`,
    });
  return findings;
}

function numbers(partitions: readonly PartitionMetadata[]): string {
  return partitions.map(({ partition }) => partition).join(", ");
}

function listed(topics: readonly string[]): string {
  const [first, ...others] = topics;
  return others.length === 0 ? `"${first}"` : `"${first}" and ${others.length} more topics`;
}
