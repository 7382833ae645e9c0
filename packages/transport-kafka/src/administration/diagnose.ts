import type { Finding } from "@papa-events/core/transport";
import type { Cluster } from "../client/cluster.ts";
import type { Registry } from "../declarations/registry.ts";
import type { TopicSpec, Topology } from "../declarations/topology.ts";
import type { WaitingCounts } from "../waiting/waiting-counts.ts";
import { brokerFindings } from "./diagnose-brokers.ts";
import { rightsFindings } from "./diagnose-rights.ts";
import { topicFindings } from "./diagnose-topics.ts";
import { transactionFindings } from "./diagnose-transactions.ts";

/** Clocks of machines that are kept right differ by less. */
const MAX_CLOCK_DIFFERENCE_MS = 10_000;

export interface DiagnoseOptions {
  readonly cluster: Cluster;
  readonly topology: Topology;
  readonly registry: Registry;
  readonly waiting: WaitingCounts;
}

/** Looks at the brokers, at the topics of the namespace, at what this account may do, and at what stands still. */
export async function diagnose({ cluster, topology, registry, waiting }: DiagnoseOptions): Promise<readonly Finding[]> {
  const { nodes, topics } = await cluster.retried(() => cluster.refresh("all"));
  await registry.refresh();
  const specs = specsOf(topology, registry);
  const own = [...topics.keys()].filter((topic) => cluster.names.eventName(topic) !== undefined);
  const mapped = registry.topics.mapped.filter((topic) => topics.has(topic));
  const events = [...own, ...mapped];
  const present = [
    ...specs,
    ...own.map((topic) => topology.events(topic)),
    ...mapped.map((topic) => topology.existing(topic)),
  ].filter(({ topic }) => topics.has(topic));
  const found = await Promise.all([
    brokerFindings(cluster, nodes),
    topicFindings(cluster, topology, present, topics, nodes.length),
    transactionFindings(cluster, events),
    rightsFindings(cluster, specs, events),
    releasingFindings(cluster, waiting),
  ]);
  return [
    ...found.flat(),
    ...missing(specs, topics),
    ...leftovers(cluster, specs, [...topics.keys()]),
    ...mappingFindings(registry, topics),
    ...clockFindings(registry),
  ];
}

/** The topics that the namespace needs, but for those of events. */
function specsOf(topology: Topology, registry: Registry): readonly TopicSpec[] {
  const { useCases, removed } = registry;
  const declared = useCases.filter((useCase) => !removed.has(useCase));
  if (useCases.length === 0) return [];
  return [
    topology.registry,
    topology.delays,
    ...declared.map((useCase) => topology.ready(useCase)),
    // Removed ones, too, may have kept theirs.
    ...useCases.map((useCase) => topology.deadLetters(useCase)),
  ];
}

function missing(specs: readonly TopicSpec[], topics: ReadonlyMap<string, unknown>): readonly Finding[] {
  return specs
    .filter(({ topic }) => !topics.has(topic))
    .map(({ topic }) => ({
      severity: "warning",
      what: `The topic "${topic}" is missing, or this account may not know of it.`,
      why: "If somebody has deleted it, what it held is lost; it is made again when an app needs it.",
      remedy: "If it is there, grant Describe on it; otherwise restart an app that needs it.",
    }));
}

function leftovers({ names }: Cluster, specs: readonly TopicSpec[], topics: readonly string[]): readonly Finding[] {
  const known = new Set(specs.map(({ topic }) => topic));
  return topics
    .filter((topic) => names.isOfUseCase(topic) && !known.has(topic))
    .map((topic) => ({
      severity: "info",
      what: `The topic "${topic}" belongs to no use case that the namespace knows.`,
      why: "It takes space on the brokers and does no harm otherwise.",
      remedy: `Delete it when nobody needs what it holds: kafka-topics.sh --delete --topic ${topic}`,
    }));
}

/** What is to be said of the topics of others that are mapped to event names. */
function mappingFindings({ topics }: Registry, existing: ReadonlyMap<string, unknown>): readonly Finding[] {
  const missing = topics.mapped
    .filter((topic) => !existing.has(topic))
    .map(
      (topic): Finding => ({
        severity: "error",
        what: `The topic "${topic}" of the option \`topics\` is missing, or this account may not know of it.`,
        why: "Its events cannot be published or handled, and apps that map it do not start; none of them makes it.",
        remedy: "If it is there, grant Describe on it; otherwise have its owner make it, or take it out of the option.",
      }),
    );
  const patterns = topics.mapped.map((topic) => {
    const own = topics.existing.get(topic);
    const others = topics.mappings.filter((each) => each.topic === topic).map(({ pattern }) => pattern);
    return { topic, all: [...new Set(own === undefined ? others : [own, ...others])] };
  });
  const differing = patterns
    .filter(({ all }) => all.length > 1)
    .map(
      ({ topic, all }): Finding => ({
        severity: "warning",
        what: `Apps map the topic "${topic}" to ${all.map((pattern) => `"${pattern}"`).join(" and ")}.`,
        why: "An app publishes to it, and looks for in it, only what it maps itself.",
        remedy: "Give all apps of the namespace the same `topics`; what no app has mapped for 7 days is forgotten.",
      }),
    );
  return [...missing, ...differing];
}

/** Retries are released by apps that consume. */
async function releasingFindings(cluster: Cluster, waiting: WaitingCounts): Promise<readonly Finding[]> {
  const group = cluster.names.releaser;
  try {
    const count = await waiting.all();
    if (count === 0) return [];
    const { members } = await cluster.client.describeGroup(await cluster.client.coordinator(group), group);
    if (members > 0) return [];
    return [
      {
        severity: "warning",
        what: `${count} events wait for their retry, and the group "${group}" has no members.`,
        why: "Waiting events are released by apps of the namespace that handle events, and none runs.",
        remedy: "Start any app of the namespace that has use cases.",
      },
    ];
  } catch (error) {
    cluster.logger.debug({ err: error }, "What waits could not be read.");
    return [];
  }
}

function clockFindings(registry: Registry): readonly Finding[] {
  const ahead = registry.time - Date.now();
  if (ahead < MAX_CLOCK_DIFFERENCE_MS) return [];
  return [
    {
      severity: "warning",
      what: `A broker's clock is at least ${Math.round(ahead / 1_000)} s ahead of this machine's.`,
      why: "Retries are due by the brokers' clocks: after one has been set back, they are early or late by as much.",
      remedy: "Keep the clocks of all machines right, by NTP or chrony.",
    },
  ];
}
