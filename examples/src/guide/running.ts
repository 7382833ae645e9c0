import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PapaApp } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";

// #region app
const app = new PapaApp({
  transport: transportFromUri(process.env.BROKER_URL ?? "memory:"),
  name: "orders",
  waitForBroker: "60s",
  drainTimeout: "25s",
});
// #endregion

// #region probe
const probe = createServer((_request, response) => {
  const health = app.health();
  response.writeHead(health.healthy ? 200 : 503, { "content-type": "application/json" });
  response.end(JSON.stringify(health));
});
// #endregion
await new Promise<void>((resolve) => void probe.listen(0, "127.0.0.1", resolve));

const ask = () => fetch(`http://127.0.0.1:${(probe.address() as AddressInfo).port}`);
assert.equal((await ask()).status, 503);
setTimeout(async () => {
  const response = await ask();
  assert.deepEqual([response.status, ((await response.json()) as { reasons: unknown }).reasons], [200, []]);
  probe.close();
  process.kill(process.pid, "SIGTERM");
}, 100);

// #region run
await app.run(); // starts; at SIGINT or SIGTERM drains, stops and returns
// #endregion
