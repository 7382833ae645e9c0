import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { describe, test } from "vitest";
import { redis, testedVersions } from "../../src/brokers/index.ts";

describe("a Redis for tests", () => {
  for (const version of testedVersions.redis) {
    test(`${version} keeps what is on disk when it is killed and restarted`, { timeout: 600_000 }, async () => {
      const broker = await redis(version);
      let failed = true;
      try {
        const client = new Redis(broker.uri);
        client.on("error", () => {});
        // Valkey says a version of Redis too.
        const says = version.startsWith("valkey") ? version.replace("-", "_version:") : `redis_version:${version}`;
        assert((await client.info("server")).includes(`\n${says}.`), says);
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
