import { PapaApp } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L1 an existing instance of ioredis gives its settings and stays as it is", async () => {
  const space = new Space();
  const own = new Redis(space.uri, { keyPrefix: "mine:", replyMapping: "resp3", stringNumbers: true, db: 3 });
  try {
    const app = new PapaApp({ transport: redisStreams({ client: own, prefix: space.prefix }), logger: quiet });
    const handled: unknown[] = [];
    app.onEvent("x", { useCase: "uc" }, (payload) => void handled.push(payload));
    await app.start();
    await app.newEvent("x", { a: 1 });
    await until("it is handled", () => handled.length === 1);
    await app.stop();
    expect(own.status).toBe("ready");
    expect(await space.redis.exists(space.key("queue:uc"))).toBe(0);
    await space.redis.select(3);
    expect(await space.redis.exists(space.key("queue:uc"))).toBe(1);
  } finally {
    own.disconnect();
  }
});
