import { expect, test } from "vitest";
import { encodeRuns, readRuns, runsBetween } from "../../src/wire/done-runs.ts";
import { readHandedOut, withHandedOut } from "../../src/wire/handed-out.ts";
import { encodeMetadata, readMetadata } from "../../src/wire/metadata.ts";
import { isOfOtherTopic, withTopicId } from "../../src/wire/topic-id.ts";

test("L8 a commit tells which topic it was made for, beside what else its metadata holds", () => {
  const runs = encodeRuns(5, runsBetween(5, 10, [5, 6]));
  for (const rest of ["", runs, withHandedOut(runs, 5, { until: 50, once: 5, twice: 5 })]) {
    const metadata = withTopicId(rest, 281_474_976_710_655);
    expect(isOfOtherTopic(metadata, 281_474_976_710_655)).toBe(false);
    expect(isOfOtherTopic(metadata, 1)).toBe(true);
    expect(isOfOtherTopic(metadata, undefined)).toBe(false);
    expect(isOfOtherTopic(rest, 1)).toBe(false);
    expect(readRuns(5, metadata).count).toBe(readRuns(5, rest).count);
    expect(readHandedOut(5, metadata)).toEqual(readHandedOut(5, rest));
  }
  expect(withTopicId(runs, undefined)).toBe(runs);
});

test("a Metadata request of version 10 has its topics behind the tags of the header", () => {
  expect(encodeMetadata("all").toString("hex")).toBe("000000000000");
  expect(encodeMetadata(["ab"]).toString("hex")).toBe(`0002${"00".repeat(16)}03616200${"00".repeat(4)}`);
});

test("a Metadata response of version 10 is read with the topics' ids", () => {
  const hex = [
    "00", // tags
    "00000000", // throttle
    "02",
    "00000007",
    "0a",
    Buffer.from("localhost").toString("hex"),
    "00002384",
    "00",
    "00",
    "03",
    Buffer.from("ab").toString("hex"),
    "00000007",
    "02",
    "0000",
    "03",
    Buffer.from("ab").toString("hex"),
    "0000000000ff",
    "00".repeat(10),
    "00",
    "02",
    "0000",
    "00000003",
    "00000007",
    "00000000",
    "030000000700000008",
    "0200000007",
    "01",
    "00",
    "00000108",
    "00",
    "80000000",
    "00",
  ];
  expect(readMetadata(Buffer.from(hex.join(""), "hex"))).toEqual({
    brokers: [{ nodeId: 7, host: "localhost", port: 9092 }],
    topicMetadata: [
      {
        topicErrorCode: 0,
        topic: "ab",
        id: 255,
        partitionMetadata: [{ partitionId: 3, leader: 7, replicas: 2, inSync: 1 }],
        operations: 0x108,
      },
    ],
  });
});
