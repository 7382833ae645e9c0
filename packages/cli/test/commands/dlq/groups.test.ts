import type { DeadLetterItem } from "@papa-events/core";
import { expect, it } from "vitest";
import { Groups } from "../../../src/commands/dlq/groups.ts";

function grouped(messages: readonly string[]) {
  const groups = new Groups();
  for (const [at, message] of messages.entries()) {
    const item = { useCase: "a", reason: "rejected", eventName: "e", error: { name: "Error", message, stack: "" } };
    groups.add({ ...item, lastFailedAt: new Date(at) } as DeadLetterItem);
  }
  return groups.list();
}

it("errors that differ in numbers and ids only are one group, shown by what they have in common", () => {
  const id = "01900c5e-7d3f-7000-8000-5a2b6c7d8e9f";
  expect(grouped([`user 12 of ${id} not found`, "user 13 of 01900c5e-7d3f-7000-8000-000000000000 not found"])).toEqual([
    expect.objectContaining({
      error: "Error: user <n> of <id> not found",
      count: 2,
      first: new Date(0),
      last: new Date(1),
    }),
  ]);
});

it("errors that are all the same are shown as they are", () => {
  expect(grouped(["connect ECONNREFUSED 10.0.0.1:5432", "connect ECONNREFUSED 10.0.0.1:5432"])).toEqual([
    expect.objectContaining({ error: "Error: connect ECONNREFUSED 10.0.0.1:5432", count: 2 }),
  ]);
});

it("errors that are all different do not fill the memory", () => {
  const word = (n: number) => n.toString(26).replaceAll(/\d/g, (digit) => "qrstuvwxyz".charAt(Number(digit)));
  const groups = grouped(Array.from({ length: 5_000 }, (_, n) => `failed: ${word(n)}`));
  expect(groups.length).toBeLessThanOrEqual(1_001);
  expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
});
