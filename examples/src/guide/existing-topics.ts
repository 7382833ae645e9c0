import assert from "node:assert/strict";
import { kafka } from "@papa-events/transport-kafka";

// #region topics
const transport = kafka({
  uri: "kafka://host:9092?prefix=billing",
  topics: { "shop.orders.v1": "order.*", "legacy-payments": "payment.made" },
});
// #endregion

// Nothing is connected before an app starts; that no name belongs to two topics is checked at once.
assert.equal(transport.name, "kafka");
assert.throws(() => kafka({ uri: "kafka://host", topics: { one: "order.*", other: "order.created" } }), {
  code: "invalid-option",
});
