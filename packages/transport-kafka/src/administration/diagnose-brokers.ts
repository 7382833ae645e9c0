import type { Finding } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import type { Configs } from "../client/kafka-client.ts";

const WEEK_IN_MINUTES = 7 * 24 * 60;
/** What a commit's metadata may hold. */
const METADATA_BYTES = 4_096;
/** The Metadata request, and its version that tells the topics' ids. */
const METADATA = 3;
const WITH_IDS = 10;

/** What is to be said of the brokers and their settings. */
export async function brokerFindings(cluster: Cluster, nodes: readonly number[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const versions = await cluster.client.versions();
  if ((versions[METADATA]?.maxVersion ?? 0) < WITH_IDS)
    findings.push({
      severity: "warning",
      what: "The brokers are older than Kafka 2.8.",
      why: "They do not tell a topic from one that was deleted and made anew, so that positions in the old one count for the new one.",
      remedy: "Upgrade the cluster; delete no topics until then.",
    });
  if (nodes.length === 1)
    findings.push({
      severity: "info",
      what: "The cluster has one broker.",
      why: "Nothing is replicated: while it is down nothing can be published, and a lost disk loses everything.",
      remedy: "Use three brokers or more in production.",
    });
  const all = await Promise.all(nodes.map(async (node) => [node, await configsOf(cluster, node)] as const));
  for (const [node, configs] of all) if (configs !== undefined) findings.push(...ofConfigs(node, configs));
  if (all.every(([, configs]) => configs === undefined))
    findings.push({
      severity: "info",
      what: "This account may not read the brokers' settings.",
      why: "Retention and durability of the brokers were not looked at.",
      remedy: "Grant it DescribeConfigs on the cluster, which allows nothing else.",
    });
  return findings;
}

async function configsOf({ client, logger }: Cluster, node: number): Promise<Configs | undefined> {
  try {
    return (await client.describeConfigs("broker", [String(node)])).get(String(node));
  } catch (error) {
    logger.debug({ err: error, node }, "The settings of a broker could not be read.");
    return undefined;
  }
}

function ofConfigs(node: number, configs: Configs): readonly Finding[] {
  const findings: Finding[] = [];
  if (configs["unclean.leader.election.enable"] === "true")
    findings.push({
      severity: "warning",
      what: `Broker ${node}: unclean.leader.election.enable is true.`,
      why: "When the brokers that have everything are down, one that misses confirmed events may take over, and these are gone.",
      remedy: "Set unclean.leader.election.enable=false.",
    });
  const minutes = Number(configs["offsets.retention.minutes"]);
  if (minutes > 0 && minutes < WEEK_IN_MINUTES)
    findings.push({
      severity: "warning",
      what: `Broker ${node}: offsets.retention.minutes is ${minutes}.`,
      why: "When no instance of a use case has run for so long, its events of since its first declaration come again.",
      remedy: `Set offsets.retention.minutes to ${WEEK_IN_MINUTES} or more.`,
    });
  const bytes = Number(configs["offset.metadata.max.bytes"]);
  if (bytes > 0 && bytes < METADATA_BYTES)
    findings.push({
      severity: "error",
      what: `Broker ${node}: offset.metadata.max.bytes is ${bytes}.`,
      why: `Commits say in up to ${METADATA_BYTES} bytes what is done above their offset; larger ones are refused, and nothing counts as done.`,
      remedy: `Set offset.metadata.max.bytes to ${METADATA_BYTES}, its default.`,
    });
  return findings;
}
