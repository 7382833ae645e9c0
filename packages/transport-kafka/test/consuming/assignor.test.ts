import { expect, test } from "vitest";
import { assign, encodeClaims } from "../../src/consuming/assignor.ts";

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
