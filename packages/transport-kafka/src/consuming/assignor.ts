import type { Assignment, GroupMember, MemberAssignment, Place } from "../client/kafka-client.ts";

/** What a member tells the leader of its group: the partitions it had, and those in which handlers still run. */
interface Claims {
  readonly generation: number;
  readonly owned: Assignment;
  readonly busy: Assignment;
}

export function encodeClaims(generation: number, owned: readonly Place[], busy: readonly Place[]): string {
  const claims: Claims = { generation, owned: byTopic(owned), busy: byTopic(busy) };
  return JSON.stringify(claims);
}

/**
 * Deals partitions out to those members that read their topic: a busy one stays with its owner, so that no event is in
 * two handlers; then as many as are fair stay where they were; the rest goes to whoever has fewest.
 *
 * @param partitions how many partitions each topic has
 */
export function assign(members: readonly GroupMember[], partitions: ReadonlyMap<string, number>): MemberAssignment[] {
  const readers = members.map(({ memberId, topics, userData }) => ({
    memberId,
    topics: new Set(topics),
    claims: readClaims(userData),
    load: 0,
    assigned: [] as Place[],
  }));
  const latest = Math.max(-1, ...readers.map(({ claims }) => claims.generation));
  const open: Place[] = [...partitions].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  );
  const fair = Math.ceil(open.length / Math.max(readers.length, 1));
  const give = (reader: (typeof readers)[number], place: Place) => {
    reader.assigned.push(place);
    reader.load += 1;
  };
  const keep = (kind: "busy" | "owned", most: number) => {
    for (const reader of readers) {
      // What an older generation had has been somebody else's since.
      if (reader.claims.generation !== latest) continue;
      for (let index = open.length - 1; index >= 0 && reader.load < most; index -= 1) {
        const place = open[index];
        if (place === undefined || !reader.topics.has(place.topic)) continue;
        if (!reader.claims[kind][place.topic]?.includes(place.partition)) continue;
        give(reader, place);
        open.splice(index, 1);
      }
    }
  };
  keep("busy", Number.POSITIVE_INFINITY);
  keep("owned", fair);
  for (const place of open) {
    const able = readers.filter(({ topics }) => topics.has(place.topic));
    const least = able.reduce<(typeof readers)[number] | undefined>(
      (best, each) => (best === undefined || each.load < best.load ? each : best),
      undefined,
    );
    if (least !== undefined) give(least, place);
  }
  return readers.map(({ memberId, assigned }) => ({ memberId, assignment: byTopic(assigned) }));
}

function readClaims(userData: string): Claims {
  try {
    const { generation, owned, busy } = JSON.parse(userData) as Partial<Claims>;
    return { generation: generation ?? -1, owned: owned ?? {}, busy: busy ?? {} };
  } catch {
    return { generation: -1, owned: {}, busy: {} };
  }
}

function byTopic(places: readonly Place[]): Assignment {
  const topics: Record<string, number[]> = {};
  for (const { topic, partition } of places) (topics[topic] ??= []).push(partition);
  return topics;
}
