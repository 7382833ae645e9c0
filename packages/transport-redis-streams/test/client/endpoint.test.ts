import { PapaApp } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, quiet, Space, silent } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** Settings that would harm the library's own connections. */
const OWN = { keyPrefix: "mine:", replyMapping: "resp3", stringNumbers: true, db: 3, commandTimeout: 300 } as const;

test("L1 an existing instance of ioredis gives its settings and stays as it is", async () => {
  const space = new Space();
  const own = new Redis(space.uri, OWN);
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

test("L3 a caller's limit on commands neither delays deliveries nor loses the connection that waits for them", async () => {
  const space = new Space();
  const client = new Redis(space.uri, OWN);
  onTestFinished(() => client.disconnect());
  const statuses: boolean[] = [];
  const connection = await redisStreams({ client, prefix: space.prefix }).connect({
    ...silent,
    onStatus: ({ connected }) => void statuses.push(connected),
  });
  onTestFinished(() => connection.close());
  await connection.declarations.declare([declared("uc", "x")]);
  let arrived = 0;
  await connection.subscribe("uc", { readAhead: 5, declaration: "any" }, (delivery) => {
    arrived = performance.now();
    void delivery.settle({ kind: "done", outputs: [] });
  });
  for (let round = 0; round < 4; round += 1) {
    const idle = performance.now() + 500;
    await until("the read blocks for longer than the limit", () => performance.now() > idle);
    arrived = 0;
    const sent = performance.now();
    await connection.publish([encoded("x", round)]);
    await until("it is out", () => arrived > 0);
    expect(arrived - sent).toBeLessThan(500);
  }
  expect(statuses).toEqual([]);
});
