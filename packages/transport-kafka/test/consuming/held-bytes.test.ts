import type { Delivery } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { HeldBytes } from "../../src/consuming/held-bytes.ts";
import { declare, event, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("H9 what is larger than all of the room goes alone, and who found none is called when there is some", () => {
  const held = new HeldBytes(100);
  let calls = 0;
  const onRoom = () => {
    calls += 1;
  };
  expect(held.hasRoomFor(1_000, onRoom)).toBe(true);
  held.take(1_000);
  expect(held.hasRoomFor(1, onRoom)).toBe(false);
  held.giveBack(1_000);
  expect(calls).toBe(1);
  held.take(60);
  expect(held.hasRoomFor(40, onRoom)).toBe(true);
  expect(held.hasRoomFor(41, onRoom)).toBe(false);
});

test("H9 two use cases together are handed no more bytes than one connection may hold, and go on when they settle", async () => {
  const space = new Space();
  const connection = await space.connect({}, { maxHeldBytes: 1_000_000 });
  const useCases = ["one", "two"];
  const deliveries: Delivery[] = [];
  for (const useCase of useCases) {
    await declare(connection, useCase, ["large"]);
    await connection.subscribe(useCase, subscribing(100), (delivery) => deliveries.push(delivery));
  }
  await connection.publish(Array.from({ length: 20 }, () => event("large", "x".repeat(150_000))));
  let settled = 0;
  while (settled < 40) {
    await until("some are delivered", () => deliveries.length > 0);
    const batch = deliveries.splice(0);
    expect(batch.length).toBeLessThanOrEqual(6);
    for (const delivery of batch) expect(await delivery.settle({ kind: "done", outputs: [] })).toBe("stored");
    settled += batch.length;
  }
  expect(settled).toBe(40);
});
