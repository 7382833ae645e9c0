import { expect, test } from "vitest";
import type { Cluster } from "../../src/client/cluster.ts";
import { JoinedTopics } from "../../src/consuming/joined-topics.ts";

function joined(topics: Map<string, { partitions: number; id: number }>, missing = new Set<string>()) {
  const cluster = {
    partitionsOf: (topic: string) => topics.get(topic)?.partitions ?? 0,
    idOf: (topic: string) => topics.get(topic)?.id,
    isMissing: (topic: string) => missing.has(topic),
  } as unknown as Cluster;
  return new JoinedTopics(cluster);
}

test("R7 a group is joined again for other topics, more partitions, or another topic of the same name", () => {
  const known = new Map([
    ["a", { partitions: 2, id: 1 }],
    ["b", { partitions: 2, id: 2 }],
  ]);
  const topics = joined(known);
  expect(topics.empty).toBe(true);
  topics.note(["a", "b"]);
  expect(topics.differ(["b", "a"])).toBe(false);
  expect(topics.differ(["a"])).toBe(true);
  expect(topics.differ(["a", "c"])).toBe(true);
  known.set("b", { partitions: 3, id: 2 });
  expect(topics.differ(["a", "b"])).toBe(true);
  known.set("b", { partitions: 2, id: 3 });
  expect(topics.differ(["a", "b"])).toBe(true);
});

test("L3 a group is not joined again for a topic of which nothing is known while its leader moves", () => {
  const known = new Map([["a", { partitions: 2, id: 1 }]]);
  const missing = new Set<string>();
  const topics = joined(known, missing);
  topics.note(["a", "new"]);
  known.delete("a");
  expect(topics.differ(["a", "new"])).toBe(false);
  missing.add("a");
  expect(topics.differ(["a", "new"])).toBe(true);
  missing.delete("a");
  known.set("new", { partitions: 2, id: 2 });
  expect(topics.differ(["a", "new"])).toBe(true);
});
