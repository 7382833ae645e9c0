import { expect, test } from "vitest";
import { newEventId } from "../../src/wire/event-id.ts";

const TIME = Date.parse("2026-02-03T04:05:06.789Z");

test("an id is a UUID of version 7 that holds its time", () => {
  const id = newEventId(TIME);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(TIME);
});

test("no two are alike, also beyond the 65,536 that share their beginning", () => {
  const ids = new Set<string>();
  for (let index = 0; index < 200_000; index += 1) ids.add(newEventId(TIME));
  expect(ids.size).toBe(200_000);
});

test("ids sort by their time", () => {
  const ids = Array.from({ length: 1_000 }, (_, index) => newEventId(TIME + index));
  expect([...ids].sort()).toEqual(ids);
});

test.each([0, 1.5, -1, Date.parse("9999-12-31T23:59:59.999Z")])("a time of %d makes a UUID too", (time) => {
  expect(newEventId(time)).toHaveLength(36);
});
