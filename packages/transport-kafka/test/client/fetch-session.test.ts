import { expect, test } from "vitest";
import { FetchSession, NO_SESSION } from "../../src/client/fetch-session.ts";
import { KafkaError } from "../../src/wire/kafka-error.ts";
import { partitionKey } from "../../src/wire/topic-partition.ts";

const at = (partition: number, position: number) => {
  const source = { topic: "t", partition };
  return { key: partitionKey(source), source, position };
};
const many = (count: number, position = 0) => Array.from({ length: count }, (_, partition) => at(partition, position));

test("few partitions are asked for in full, outside of any session", () => {
  const session = new FetchSession();
  for (let turn = 0; turn < 2; turn += 1) {
    expect(session.begin(many(3))).toHaveLength(3);
    expect(session.request).toEqual(NO_SESSION);
    session.answered(0);
  }
});

test("of many partitions those are named that have changed, and those that are not fetched any more", () => {
  const session = new FetchSession();
  expect(session.begin(many(200))).toHaveLength(200);
  expect(session.request).toEqual({ id: 0, epoch: 0, forgotten: [] });
  session.answered(7);
  const [first, ...others] = many(200);
  if (first === undefined) throw new Error("none");
  expect(session.begin([at(0, 5), ...others])).toEqual([{ topic: "t", partition: 0, offset: 5 }]);
  expect(session.request).toEqual({ id: 7, epoch: 1, forgotten: [] });
  expect(session.positionOf({ topic: "t", partition: 0 })).toBe(5);
  session.answered(7);
  expect(session.begin(others)).toEqual([]);
  expect(session.request).toMatchObject({ id: 7, epoch: 2, forgotten: [{ topic: "t", partition: 0 }] });
  session.answered(7);
  expect(session.begin([first, ...others])).toEqual([{ topic: "t", partition: 0, offset: 0 }]);
});

test("after a failure, or where the broker remembers nothing, all is asked for again", () => {
  const session = new FetchSession();
  session.begin(many(200));
  session.answered(7);
  session.begin(many(200));
  expect(session.failed(new KafkaError("CONNECTION", "lost", true))).toBe(false);
  expect(session.begin(many(200))).toHaveLength(200);
  expect(session.request).toEqual({ id: 7, epoch: 0, forgotten: [] });
  session.answered(0);
  expect(session.begin(many(200))).toHaveLength(200);
  expect(session.failed(new KafkaError("FETCH_SESSION_ID_NOT_FOUND", "forgotten", true))).toBe(true);
});
