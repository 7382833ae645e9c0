import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { shardOf } from "../../src/sharding/choose-shard.ts";
import { Keys } from "../../src/wire/keys.ts";
import { slotOf } from "../../src/wire/shard-tag.ts";

test("a shard's slot is as the cluster's specification has it, and shards are spread evenly over the slots", () => {
  expect(slotOf("123456789")).toBe(0x31c3);
  for (const prefix of ["", "orders", "t-0a1b"]) {
    for (const shards of [2, 3, 6, 64]) {
      const slots = Array.from({ length: shards }, (_, shard) => {
        const tag = /\{(.*)\}/.exec(new Keys(prefix, shard, shards).version)?.[1] ?? "";
        return slotOf(tag);
      }).sort((a, b) => a - b);
      const gaps = slots.map((slot, at) =>
        at === 0 ? slot + 16_384 - (slots.at(-1) ?? 0) : slot - (slots[at - 1] ?? 0),
      );
      expect(Math.min(...gaps)).toBeGreaterThan((16_384 / shards) * 0.9);
    }
  }
});

test("the first shard's keys are called as those of a namespace without shards", () => {
  expect(new Keys("orders", 0, 6).queue("uc")).toBe(new Keys("orders").queue("uc"));
  expect(new Keys("orders").queue("uc")).toBe("{papa-events:orders}:queue:uc");
});

test("events are spread evenly, whatever their ids are like", () => {
  const ids = [() => randomUUID(), () => `order-${next++}`, () => String(next++)];
  let next = 0;
  for (const id of ids) {
    const counts = [0, 0, 0, 0, 0, 0];
    for (let n = 0; n < 6_000; n += 1) {
      const shard = shardOf(id(), 6);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(700);
    expect(Math.max(...counts)).toBeLessThan(1_300);
  }
});
