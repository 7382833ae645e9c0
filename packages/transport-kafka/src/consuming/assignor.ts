import type { Assignment, GroupMember, MemberAssignment } from "../client/kafka-client.ts";
import type { TopicPartition } from "../wire/topic-partition.ts";

/** What a member reports to the leader of its group: the partitions it had, and those in which handlers still run. */
interface Claims {
  readonly generation: number;
  readonly owned: Assignment;
  readonly busy: Assignment;
  /** Names the patterns that it declares. */
  readonly declaration: string;
  /** Whether it can do only a part of the work, and gets none while another can do all of it. */
  readonly limited: boolean;
}

/** Encodes a member's claims as its user data in the group protocol. */
export function encodeClaims(
  generation: number,
  owned: readonly TopicPartition[],
  busy: readonly TopicPartition[],
  declaration = "",
  limited = false,
): string {
  const claims: Claims = { generation, owned: byTopic(owned), busy: byTopic(busy), declaration, limited };
  return JSON.stringify(claims);
}

/** What a member reads, and what it is assigned. */
interface Reader {
  readonly memberId: string;
  readonly topics: ReadonlySet<string>;
  readonly claims: Claims;
  readonly assigned: TopicPartition[];
  /** What it keeps only because handlers run there. */
  readonly excess: TopicPartition[];
}

/**
 * Assigns partitions to the members that read their topic, each topic for itself: what is busy in one does not make up for
 * what is idle in another. A busy partition stays with its owner, so that no event is in two handlers; where that is more than
 * its share, the owner is told to drain the rest and to give it up (R8). Each declaration has
 * one partition at least, so that a forwarded event finds whoever accepts it (R6). Then every member keeps what it had, up to
 * a fair share. The rest goes to whoever has the fewest.
 *
 * @param partitions the number of partitions of each topic
 */
export function assign(members: readonly GroupMember[], partitions: ReadonlyMap<string, number>): MemberAssignment[] {
  const readers: readonly Reader[] = members.map(({ memberId, topics, userData }) => ({
    memberId,
    topics: new Set(topics),
    claims: decodeClaims(userData),
    assigned: [],
    excess: [],
  }));
  const latest = Math.max(-1, ...readers.map(({ claims }) => claims.generation));
  for (const [topic, count] of partitions) {
    const all = readers.filter(({ topics }) => topics.has(topic));
    const unlimited = all.filter(({ claims }) => !claims.limited);
    const able = unlimited.length > 0 ? unlimited : all;
    const leaving = unlimited.length > 0 ? all.filter(({ claims }) => claims.limited) : [];
    // Where partitions do not come out even, another member has one more than in the topic before.
    able.sort((a, b) => a.assigned.length - b.assigned.length);
    if (able.length > 0) shareOut(topic, count, able, leaving, latest);
  }
  return readers.map(({ memberId, assigned, excess }) => ({
    memberId,
    assignment: byTopic(assigned),
    userData: encodeExcess(excess),
  }));
}

/** Shares out the partitions of one topic. @param leaving keep what is busy until they have drained it */
function shareOut(
  topic: string,
  partitions: number,
  readers: readonly Reader[],
  leaving: readonly Reader[],
  generation: number,
): void {
  const open = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  const counts = new Map([...readers, ...leaving].map((reader) => [reader, 0]));
  const countOf = (reader: Reader) => counts.get(reader) ?? 0;
  // What a member had in an older generation has belonged to somebody else since.
  const claimed = (reader: Reader, kind: "busy" | "owned") =>
    reader.claims.generation === generation ? (reader.claims[kind][topic] ?? []) : [];
  const give = (reader: Reader, partition: number) => {
    open.delete(partition);
    reader.assigned.push({ topic, partition });
    counts.set(reader, countOf(reader) + 1);
  };
  const giveToFewest = (able: readonly Reader[]) => {
    const [partition] = open;
    const [first, ...others] = able;
    if (partition === undefined || first === undefined) return;
    const fewest = others.reduce((best, each) => {
      const difference = countOf(each) - countOf(best) || each.assigned.length - best.assigned.length;
      return difference < 0 ? each : best;
    }, first);
    give(fewest, partition);
  };

  for (const reader of [...readers, ...leaving])
    for (const partition of claimed(reader, "busy")) if (open.has(partition)) give(reader, partition);
  for (const reader of leaving) reader.excess.push(...reader.assigned.filter((each) => each.topic === topic));

  const without: (readonly Reader[])[] = [];
  for (const group of byDeclaration(readers)) {
    if (group.some((reader) => countOf(reader) > 0)) continue;
    const kept = group.flatMap((reader) =>
      claimed(reader, "owned")
        .filter((partition) => open.has(partition))
        .map((partition) => ({ reader, partition })),
    )[0];
    if (kept === undefined) without.push(group);
    else give(kept.reader, kept.partition);
  }

  const share = Math.floor(partitions / readers.length);
  /** How many members have one more than that. */
  let extra = partitions % readers.length;
  for (const reader of readers) {
    const above = countOf(reader) - share;
    if (above <= 0) continue;
    const kept = share + (extra > 0 ? 1 : 0);
    extra -= 1;
    if (countOf(reader) > kept) reader.excess.push(...reader.assigned.slice(kept - countOf(reader)));
  }
  for (const reader of readers) {
    for (const partition of claimed(reader, "owned")) {
      if (open.size <= without.length || countOf(reader) > share) break;
      if (!open.has(partition)) continue;
      if (countOf(reader) === share) {
        if (extra <= 0) break;
        extra -= 1;
      }
      give(reader, partition);
    }
  }

  for (const group of without) giveToFewest(group);
  while (open.size > 0) giveToFewest(readers);
}

/** Encodes what a member is to drain and give up, as the user data of its assignment; the version before ignores it. */
function encodeExcess(excess: readonly TopicPartition[]): string {
  return excess.length === 0 ? "" : JSON.stringify({ excess: byTopic(excess) });
}

/** Reads which partitions a member is to drain and give up. */
export function decodeExcess(userData: string): readonly TopicPartition[] {
  if (userData === "") return [];
  try {
    const { excess = {} } = JSON.parse(userData) as { readonly excess?: Assignment };
    return Object.entries(excess).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  } catch {
    return [];
  }
}

function byDeclaration(readers: readonly Reader[]): readonly (readonly Reader[])[] {
  const groups = new Map<string, Reader[]>();
  for (const reader of readers) {
    const group = groups.get(reader.claims.declaration);
    if (group === undefined) groups.set(reader.claims.declaration, [reader]);
    else group.push(reader);
  }
  return [...groups.values()];
}

function decodeClaims(userData: string): Claims {
  try {
    const { generation, owned, busy, declaration, limited } = JSON.parse(userData) as Partial<Claims>;
    return {
      generation: generation ?? -1,
      owned: owned ?? {},
      busy: busy ?? {},
      declaration: declaration ?? "",
      limited: limited === true,
    };
  } catch {
    return { generation: -1, owned: {}, busy: {}, declaration: "", limited: false };
  }
}

function byTopic(partitions: readonly TopicPartition[]): Assignment {
  const topics: Record<string, number[]> = {};
  for (const { topic, partition } of partitions) (topics[topic] ??= []).push(partition);
  return topics;
}
