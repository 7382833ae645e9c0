import assigner from "kafkajs/src/consumer/assignerProtocol.js";
import type { Assignment, GroupMember, MemberAssignment, SyncResult } from "./kafka-client.ts";
import type { RawJoin } from "./kafkajs-responses.ts";

/** What the members of our groups say that they speak. */
const PROTOCOL = "papa-events";

/** What a member tells the group's leader. */
export function groupProtocols(topics: readonly string[], userData: string): readonly object[] {
  const metadata = assigner.MemberMetadata.encode({ version: 1, topics, userData: Buffer.from(userData) });
  return [{ name: PROTOCOL, metadata }];
}

/** What the members have told, as the leader reads it. */
export function membersOf({ members }: RawJoin): readonly GroupMember[] {
  return members.map(({ memberId, memberMetadata }) => {
    const { topics, userData } = assigner.MemberMetadata.decode(memberMetadata);
    return { memberId, topics, userData: userData?.toString() ?? "" };
  });
}

/** What the leader tells a member. */
export function groupAssignment({ memberId, assignment, userData }: MemberAssignment): object {
  const own = { version: 1, assignment: mutable(assignment), userData: Buffer.from(userData) };
  return { memberId, memberAssignment: assigner.MemberAssignment.encode(own) };
}

/** What a member reads of it. */
export function assignmentOf(memberAssignment: Buffer): SyncResult {
  const decoded = assigner.MemberAssignment.decode(memberAssignment);
  return { assignment: decoded?.assignment ?? {}, userData: decoded?.userData?.toString() ?? "" };
}

function mutable(assignment: Assignment): Record<string, number[]> {
  return Object.fromEntries(Object.entries(assignment).map(([topic, partitions]) => [topic, [...partitions]]));
}
