import assert from "node:assert/strict";
import { PapaApp } from "@papa-events/core";
import { operator } from "@papa-events/core/operator";
import { memory } from "@papa-events/transport-memory";
import { until } from "../demo/until.ts";

const transport = memory();
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const welcomed: unknown[] = [];
await using app = new PapaApp({ transport, logger });
app.onEvent("user.created", { useCase: "send_welcome" }, (user) => void welcomed.push(user));
await app.start();

// #region operator
await using ops = operator(transport); // whether apps run or not
for (const { name, patterns, stats } of await ops.useCases()) console.log(name, patterns, stats.dead);

await ops.pause("send_welcome"); // all instances, within 5 s; lasts over restarts, loses nothing
// #endregion
const signal = new AbortController().signal;
const isPaused = () => app.health().paused.includes("send_welcome");
await until({ condition: isPaused, progress: () => 0, signal });
await app.newEvent("user.created", { name: "carlos" });
await transport.settled();
assert.deepEqual(welcomed, []);
await ops.resume("send_welcome");
await until({ condition: () => welcomed.length > 0, progress: () => 0, signal });
assert.equal(isPaused(), false);
