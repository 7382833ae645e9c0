import { PapaApp } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { expect, onTestFinished, test } from "vitest";
import { startSentinel } from "../support/sentinel.ts";
import { server } from "../support/server.ts";
import { quiet } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L3 after a failover by Sentinel apps go on with the new primary, and lose nothing", async () => {
  const [first, second] = await Promise.all([server(), server()]);
  await second.client.replicaof(first.at.host, first.at.port);
  await until("the replica follows", async () => (await first.client.info("replication")).includes("state=online"));
  const sentinel = await startSentinel(first.at);
  const transport = redisStreams({
    connection: { sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: "main" },
    durability: "replicated",
    lease: 60_000,
  });
  const handled: number[] = [];
  const app = new PapaApp({ transport, logger: quiet }).onEvent("x", { useCase: "uc" }, async (n) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    handled.push(n as number);
  });
  onTestFinished(() => app.stop());
  await app.start();
  const publishing: Promise<unknown>[] = [];
  for (let n = 0; n < 500; n += 1) publishing.push(app.newEvent("x", n));
  await until("some are handled", () => handled.length > 50);
  await second.client.replicaof("NO", "ONE");
  sentinel.primary = second.at;
  await first.client.replicaof(second.at.host, second.at.port);
  for (let n = 500; n < 600; n += 1) publishing.push(app.newEvent("x", n));
  await Promise.all(publishing);
  await until("all are handled", () => new Set(handled).size === 600);
  await until(
    "nothing is left on the new primary",
    async () => (await second.client.xlen("{papa-events}:queue:uc")) === 0,
  );
  expect((await app.stats()).uc).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
});
