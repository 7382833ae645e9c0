import type { Assignment, GroupMember, MemberAssignment } from "../client/kafka-client.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";

/** What a member reports to the leader of its group: the partitions it had, and those in which handlers still run. */
interface Claims {
  readonly generation: number;
  readonly owned: Assignment;
  readonly busy: Assignment;
}

/** Encodes a member's claims as its user data in the group protocol. */
export function encodeClaims(
  generation: number,
  owned: readonly TopicPartition[],
  busy: readonly TopicPartition[],
): string {
  const claims: Claims = { generation, owned: byTopic(owned), busy: byTopic(busy) };
  return JSON.stringify(claims);
}

/**
 * Assigns partitions to the members that read their topic. A busy one stays with its owner, so that no event is in two
 * handlers. Then every member keeps what it had, up to a fair share. The rest goes to whoever has the fewest.
 *
 * @param partitions the number of partitions of each topic
 */
export function assign(members: readonly GroupMember[], partitions: ReadonlyMap<string, number>): MemberAssignment[] {
  const readers = members.map(({ memberId, topics, userData }) => ({
    memberId,
    topics: new Set(topics),
    claims: decodeClaims(userData),
    assigned: [] as TopicPartition[],
  }));
  const latest = Math.max(-1, ...readers.map(({ claims }) => claims.generation));
  const open: TopicPartition[] = [...partitions].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  );
  const fairShare = Math.ceil(open.length / Math.max(readers.length, 1));
  const keep = (kind: "busy" | "owned", max: number) => {
    for (const reader of readers) {
      // What a member had in an older generation has belonged to somebody else since.
      if (reader.claims.generation !== latest) continue;
      for (let index = open.length - 1; index >= 0 && reader.assigned.length < max; index -= 1) {
        const source = open[index];
        if (source === undefined || !reader.topics.has(source.topic)) continue;
        if (!reader.claims[kind][source.topic]?.includes(source.partition)) continue;
        reader.assigned.push(source);
        open.splice(index, 1);
      }
    }
  };
  keep("busy", Number.POSITIVE_INFINITY);
  keep("owned", fairShare);
  for (const source of open) {
    const able = readers.filter(({ topics }) => topics.has(source.topic));
    const least = able.reduce<(typeof readers)[number] | undefined>(
      (best, each) => (best === undefined || each.assigned.length < best.assigned.length ? each : best),
      undefined,
    );
    least?.assigned.push(source);
  }
  return readers.map(({ memberId, assigned }) => ({ memberId, assignment: byTopic(assigned) }));
}

function decodeClaims(userData: string): Claims {
  try {
    const { generation, owned, busy } = JSON.parse(userData) as Partial<Claims>;
    return { generation: generation ?? -1, owned: owned ?? {}, busy: busy ?? {} };
  } catch {
    return { generation: -1, owned: {}, busy: {} };
  }
}

function byTopic(partitions: readonly TopicPartition[]): Assignment {
  const topics: Record<string, number[]> = {};
  for (const { topic, partition } of partitions) (topics[topic] ??= []).push(partition);
  return topics;
}
