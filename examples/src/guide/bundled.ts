import assert from "node:assert/strict";
import { PapaApp } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";
// #region bundled
import { fromUri as amqp } from "@papa-events/transport-amqp";
import { fromUri as memory } from "@papa-events/transport-memory";

const url = process.env.BROKER_URL ?? "memory:";
const app = new PapaApp({ transport: transportFromUri(url, { amqp, amqps: amqp, memory }) });
// #endregion

await app.start();
assert.equal(app.health().healthy, true);
await app.stop();
console.log("started and stopped");
