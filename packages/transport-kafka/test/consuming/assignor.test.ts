import { expect, test } from "vitest";
import { assign, decodeExcess, encodeClaims } from "../../src/consuming/assignor.ts";

const partitionsOf = (topic: string, ...partitions: number[]) => partitions.map((partition) => ({ topic, partition }));
const none = encodeClaims(-1, [], []);

test("R2 each partition goes to one member that reads its topic", () => {
  const members = [
    { memberId: "a", topics: ["x", "y"], userData: none },
    { memberId: "b", topics: ["x"], userData: none },
    { memberId: "c", topics: ["x"], userData: "garbage" },
  ];
  const assignments = assign(
    members,
    new Map([
      ["x", 6],
      ["y", 2],
    ]),
  );
  const of = (id: string) => assignments.find(({ memberId }) => memberId === id)?.assignment ?? {};
  expect(assignments.flatMap(({ assignment }) => assignment.x ?? []).toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(of("a").y).toEqual([0, 1]);
  expect(of("b").y ?? of("c").y).toBeUndefined();
});

test("H3 a busy partition stays with its owner, and a member of an older generation has no claim", () => {
  const members = [
    {
      memberId: "a",
      topics: ["x"],
      userData: encodeClaims(7, partitionsOf("x", 0, 1, 2, 3), partitionsOf("x", 0, 1, 2)),
    },
    { memberId: "b", topics: ["x"], userData: encodeClaims(5, partitionsOf("x", 0, 1), partitionsOf("x", 0)) },
  ];
  const assignments = assign(members, new Map([["x", 4]]));
  expect(assignments[0]?.assignment.x?.toSorted()).toEqual([0, 1, 2]);
  expect(assignments[1]?.assignment.x).toEqual([3]);
});

test("R8 an owner is told which of its busy partitions are more than its share", () => {
  const all = partitionsOf("x", 0, 1, 2, 3, 4, 5);
  const members = [
    { memberId: "old", topics: ["x"], userData: encodeClaims(1, all, all) },
    { memberId: "new", topics: ["x"], userData: none },
    { memberId: "newer", topics: ["x"], userData: none },
  ];
  const [old, fresh] = assign(members, new Map([["x", 6]]));
  expect(old?.assignment.x).toHaveLength(6);
  expect(decodeExcess(old?.userData ?? "")).toHaveLength(4);
  expect(decodeExcess(fresh?.userData ?? "")).toEqual([]);
  const uneven = assign(members, new Map([["x", 7]]));
  expect(decodeExcess(uneven[0]?.userData ?? "")).toEqual(partitionsOf("x", 3, 4, 5));
  expect(decodeExcess("garbage")).toEqual([]);
});

test("L3 no more than a fair share stays where it was", () => {
  const owner = encodeClaims(1, partitionsOf("x", 0, 1, 2, 3, 4, 5), []);
  const assignments = assign(
    [
      { memberId: "old", topics: ["x"], userData: owner },
      { memberId: "new", topics: ["x"], userData: none },
    ],
    new Map([["x", 6]]),
  );
  expect(assignments.map(({ assignment }) => assignment.x?.length)).toEqual([3, 3]);
});

const claiming = (topics: string[], counts: Record<string, number[]>, generation = 1) => {
  const owned = topics.flatMap((topic) => partitionsOf(topic, ...(counts[topic] ?? [])));
  return encodeClaims(generation, owned, []);
};

test("R8 every topic is shared out for itself, so that nobody has only idle partitions", () => {
  const topics = ["work", "ready"];
  const partitions = new Map(topics.map((topic) => [topic, 6]));
  let members = [{ memberId: "0", topics, userData: none }];
  for (let count = 2; count <= 6; count += 1) {
    const before = assign(members, partitions);
    members = before.map(({ memberId, assignment }) => ({
      memberId,
      topics,
      userData: claiming(topics, assignment as Record<string, number[]>),
    }));
    members.push({ memberId: String(count - 1), topics, userData: none });
    const after = assign(members, partitions);
    for (const { assignment } of after) {
      for (const topic of topics) {
        expect(assignment[topic]?.length).toBeGreaterThanOrEqual(Math.floor(6 / count));
        expect(assignment[topic]?.length).toBeLessThanOrEqual(Math.ceil(6 / count));
      }
    }
    const all = after.flatMap(({ assignment }) => topics.flatMap((topic) => assignment[topic] ?? []));
    expect(all).toHaveLength(12);
  }
});

test("L3 nothing moves while the members stay the same", () => {
  const topics = ["a", "b", "c"];
  const partitions = new Map(topics.map((topic) => [topic, 4]));
  const members = ["x", "y", "z"].map((memberId) => ({ memberId, topics, userData: none }));
  const first = assign(members, partitions);
  const userData = (id: string) =>
    claiming(topics, first.find(({ memberId }) => memberId === id)?.assignment as Record<string, number[]>);
  const second = assign(
    members.toReversed().map((member) => ({ ...member, userData: userData(member.memberId) })),
    partitions,
  );
  const sorted = (assignments: typeof first) =>
    assignments
      .map(({ memberId, assignment }) => [memberId, topics.map((topic) => assignment[topic]?.toSorted())])
      .toSorted();
  expect(sorted(second)).toEqual(sorted(first));
});

test("R6 each declaration has a partition of every topic, however few there are and whoever had them", () => {
  const topics = ["ready"];
  const had = encodeClaims(1, partitionsOf("ready", 0, 1), [], "old");
  const members = [
    { memberId: "a", topics, userData: had },
    ...["b", "c", "d"].map((memberId) => ({ memberId, topics, userData: encodeClaims(-1, [], [], "old") })),
    { memberId: "new", topics, userData: encodeClaims(-1, [], [], "new") },
  ];
  const assignments = assign(members, new Map([["ready", 2]]));
  const of = (id: string) => assignments.find(({ memberId }) => memberId === id)?.assignment.ready ?? [];
  expect(of("new")).toHaveLength(1);
  expect(of("a")).toHaveLength(1);
});

test("T2 a member that can do only a part of the work gets none while another can do all of it", () => {
  const partitions = new Map([["t", 4]]);
  const member = (memberId: string, limited: boolean) => ({
    memberId,
    topics: ["t"],
    userData: encodeClaims(
      1,
      [0, 1, 2, 3].map((partition) => ({ topic: "t", partition })),
      [],
      "",
      limited,
    ),
  });
  const shares = (members: ReturnType<typeof member>[]) =>
    assign(members, partitions).map(({ assignment }) => assignment.t?.length ?? 0);
  expect(shares([member("a", true), member("b", false)])).toEqual([0, 4]);
  expect(shares([member("a", true), member("b", true)])).toEqual([2, 2]);
});

test("L2 a member that leaves the work to others keeps what is busy, and is told to drain it", () => {
  const partitions = new Map([["t", 4]]);
  const at = (...numbers: number[]) => numbers.map((partition) => ({ topic: "t", partition }));
  const [paused, other] = assign(
    [
      { memberId: "paused", topics: ["t"], userData: encodeClaims(1, at(0, 1, 2, 3), at(2), "", true) },
      { memberId: "other", topics: ["t"], userData: encodeClaims(1, [], []) },
    ],
    partitions,
  );
  expect(paused?.assignment).toEqual({ t: [2] });
  expect(decodeExcess(paused?.userData ?? "")).toEqual(at(2));
  expect(other?.assignment.t?.toSorted()).toEqual([0, 1, 3]);
  expect(decodeExcess(other?.userData ?? "")).toEqual([]);
});
