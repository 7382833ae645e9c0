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
  expect([0, 1].map((partition) => bindings.startOf("user", at(partition)))).toEqual([5, 3]);
});

test("R1 a partition that did not exist at the declaration is accepted from its beginning", () => {
  expect(bindings.accept("user.deleted", { topic: "app.user", partition: 2 }, 0)).toBe(true);
  expect(bindings.startOf("order", { topic: "app.order", partition: 0 })).toBe(0);
});

test("R7 only a wildcard in the first word needs all topics", () => {
  expect(bindings.needDiscovery).toBe(false);
  expect(bindings.words).toEqual(["user", "order"]);
  expect(["user", "user.eu", "other"].map((name) => bindings.concern(name))).toEqual([true, true, false]);
  const any = new Bindings([["*.created", {}]]);
  expect(any.needDiscovery).toBe(true);
  expect(any.concern("other")).toBe(true);
});
