import { kafka } from "@papa-events/transport-kafka";
import { expect, test } from "vitest";

const problemOf = (topics: unknown) => {
  try {
    kafka({ uri: "kafka://localhost", prefix: "shop", topics: topics as Record<string, string> });
    return undefined;
  } catch (error) {
    return error;
  }
};

test("topics of others are mapped to names or patterns, each name to one of them", () => {
  expect(problemOf(undefined)).toBeUndefined();
  expect(problemOf({})).toBeUndefined();
  expect(problemOf({ "shop-orders.v1": "order.*", Payments_1: "payment.made", audit: "audit.#" })).toBeUndefined();
});

test("a mapping that cannot be meant is an error that names it", () => {
  const wrong: readonly [unknown, RegExp][] = [
    ["shop.orders", /object of topics/],
    [[], /object of topics/],
    [{ "a/b": "order.*" }, /"a\/b" is not a valid name/],
    [{ "..": "order.*" }, /"\.\." is not a valid name/],
    [{ orders: "order.>" }, /"orders" is mapped to .*another broker's wildcard/],
    [{ orders: "" }, /"orders" is mapped to is no event name/],
    [{ orders: ["order.*"] }, /"orders" is mapped to .*of type object/],
    [{ "shop.order": "order.*" }, /"shop\.order" belongs to the namespace/],
    [{ "shop--registry": "order.*" }, /"shop--registry" belongs to the namespace/],
    [{ one: "order.*", two: "payment.*", three: "*.made" }, /"one" \(order\.\*\) and "three" \(\*\.made\) overlap/],
  ];
  for (const [topics, message] of wrong) {
    const problem = problemOf(topics);
    expect(problem, JSON.stringify(topics)).toMatchObject({ code: "invalid-option" });
    expect(String(problem)).toMatch(message);
  }
});
