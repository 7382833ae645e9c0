import { expect, test } from "vitest";
import { Bindings } from "../../src/declarations/bindings.ts";

const bindings = new Bindings([
  ["user.created", { "app.user": [5, 7] }],
  ["user.*", { "app.user": [9, 3] }],
  ["order.#", {}],
]);

test("R1 an event is accepted from where its pattern was declared on, per partition", () => {
  const at = (partition: number) => ({ topic: "app.user", partition });
  expect([4, 5, 9].map((offset) => bindings.accept("user.created", at(0), offset))).toEqual([false, true, true]);
  expect([8, 9].map((offset) => bindings.accept("user.deleted", at(0), offset))).toEqual([false, true]);
  expect([2, 3].map((offset) => bindings.accept("user.created", at(1), offset))).toEqual([false, true]);
  expect(bindings.accept("other", at(0), 100)).toBe(false);
  expect([0, 1].map((partition) => bindings.startOf({ word: "user" }, at(partition)))).toEqual([5, 3]);
});

test("R1 a partition that did not exist at the declaration is accepted from its beginning", () => {
  expect(bindings.accept("user.deleted", { topic: "app.user", partition: 2 }, 0)).toBe(true);
  expect(bindings.startOf({ word: "order" }, { topic: "app.order", partition: 0 })).toBe(0);
});

test("R7 only a wildcard in the first word needs all topics", () => {
  expect(bindings.needDiscovery).toBe(false);
  expect(bindings.words).toEqual(["user", "order"]);
  expect(["user", "other"].map((word) => bindings.concern({ word }))).toEqual([true, false]);
  const any = new Bindings([["*.created", {}]]);
  expect(any.needDiscovery).toBe(true);
  expect(any.concern({ word: "other" })).toBe(true);
});

test("a topic that was mapped after a pattern was declared counts from where it was mapped", () => {
  const beginning = { foreign: [3], "foreign#": [1] };
  let id = 1;
  const mapped = new Bindings(
    [["order.*", {}]],
    () => id,
    (topic) => (topic === "foreign" ? beginning : undefined),
  );
  const held = { patterns: ["*.made"] };
  const source = { topic: "foreign", partition: 0 };
  expect(mapped.concern(held)).toBe(true);
  expect(mapped.concern({ patterns: ["user.#"] })).toBe(false);
  expect(mapped.startOf(held, source)).toBe(3);
  expect([2, 3].map((offset) => mapped.accept("order.made", source, offset))).toEqual([false, true]);
  // Somebody has deleted it and made it anew.
  id = 2;
  expect(mapped.startOf(held, source)).toBe(0);
  expect(mapped.accept("order.made", source, 0)).toBe(true);
});
