import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { describe, test } from "vitest";
import { redis } from "../../src/brokers/index.ts";

const VERSIONS = {
  "7.0": /redis_version:7\.0/,
  "8.0": /redis_version:8\.0/,
  "valkey-8.1": /valkey_version:8\.1/,
} as const;

describe("a Redis for tests", () => {
  for (const version of ["7.0", "8.0", "valkey-8.1"] as const) {
    test(`${version} keeps what is on disk when it is killed and restarted`, { timeout: 600_000 }, async () => {
      const broker = await redis(version);
      let failed = true;
      try {
        const client = new Redis(broker.uri);
        client.on("error", () => {});
        assert.match(await client.info("server"), VERSIONS[version]);
        assert.deepEqual(await client.config("GET", "appendonly"), ["appendonly", "yes"]);
        await client.xadd("stream", "*", "field", "value");
        await broker.kill();
        await broker.restart();
        assert.equal(await client.xlen("stream"), 1);
        client.disconnect();
        failed = false;
      } finally {
        await broker.stop(failed);
      }
    });
  }
});
