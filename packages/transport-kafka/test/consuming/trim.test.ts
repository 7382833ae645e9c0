import type { Delivery } from "@papa-events/core/transport";
import { expect, test, vi } from "vitest";
import { produceFrom, withAdmin } from "../support/admin.ts";
import { brokerUri, declare, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

vi.mock("../../src/consuming/trim.ts", async (original) => ({
  ...(await original<typeof import("../../src/consuming/trim.ts")>()),
  TRIM_INTERVAL_MS: 200,
}));

const PARTITIONS = [0, 1, 2, 3];

/** Where each partition begins. */
async function beginningsOf(topic: string): Promise<number[]> {
  const offsets = await withAdmin(brokerUri(), (admin) => admin.fetchTopicOffsets(topic));
  return PARTITIONS.map((partition) => Number(offsets.find((each) => each.partition === partition)?.low));
}

test("L8 what is finished is deleted from every partition of a ready topic, whoever reads it, and nothing that is not", async () => {
  const space = new Space();
  const topic = `${space.prefix}--ready-trimmed`;
  const held: Delivery[] = [];
  const handled = new Set<string>();
  const deliver = (delivery: Delivery) => {
    const body = delivery.event.body.toString();
    if (body === "held") held.push(delivery);
    else {
      handled.add(body);
      void delivery.settle({ kind: "done", outputs: [] });
    }
  };
  const connections = await Promise.all(["first", "second"].map((appName) => space.connect({}, { appName })));
  for (const connection of connections) {
    await declare(connection, "trimmed", ["never"]);
    await connection.subscribe("trimmed", subscribing(50), deliver);
  }
  const headers = { ce_type: "never", ce_id: "1" };
  const store = async (partition: number, value: string) =>
    until("it is stored", () =>
      produceFrom(brokerUri(), topic, { partition, value, headers }).then(
        () => true,
        () => false,
      ),
    );
  for (const partition of PARTITIONS) for (const each of [1, 2, 3]) await store(partition, `${partition}-${each}`);
  await store(2, "held");
  await store(2, "behind it");
  await until("all are handled", () => handled.size === 13 && held.length === 1);
  await until("all partitions begin behind what is finished", async () =>
    (await beginningsOf(topic)).every((offset) => offset === 3),
  );
  await held[0]?.settle({ kind: "done", outputs: [] });
  await until("the last is deleted too", async () => (await beginningsOf(topic))[2] === 5);
  expect(await beginningsOf(topic)).toEqual([3, 3, 5, 3]);

  // Commits expire. What has been handled does not come again for that.
  for (const connection of connections) await connection.close();
  await until("the group is gone", () =>
    withAdmin(brokerUri(), (admin) => admin.deleteGroups([space.group("trimmed")])).then(
      () => true,
      () => false,
    ),
  );
  handled.clear();
  const later = await space.connect();
  await declare(later, "trimmed", ["never"]);
  await later.subscribe("trimmed", subscribing(50), deliver);
  for (const partition of PARTITIONS) await store(partition, `${partition}-last`);
  await until("the last are handled", () => PARTITIONS.every((partition) => handled.has(`${partition}-last`)));
  expect(handled.size).toBe(4);
});
