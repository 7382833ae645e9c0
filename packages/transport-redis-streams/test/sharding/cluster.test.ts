import { redisCluster } from "@papa-events/conformance/brokers";
import { PapaApp } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { Redis } from "ioredis";
import { expect, inject, onTestFinished, test } from "vitest";
import { quiet } from "../support/space.ts";
import { until } from "../support/wait.ts";

const INSTANCES = 3;
const EVENTS_PER_STEP = 300;
const PATIENCE = 60_000;

/** Takes minutes, so that it runs with all versions only, and once. */
const runs = process.env.PAPA_EVENTS_ALL_VERSIONS !== undefined && inject("redisVersion") === "8.6";

async function roleOf(uri: string): Promise<string | undefined> {
  const client = new Redis(uri, { retryStrategy: null, commandTimeout: 5_000 });
  client.on("error", () => {});
  const [role] = (await client
    .role()
    .catch(() => [])
    .finally(() => client.disconnect())) as string[];
  return role;
}

test.runIf(runs)(
  "L10, R8 each master of a cluster is killed and each instance replaced in turn: nothing is lost, and all share",
  async () => {
    const cluster = await redisCluster("8.6");
    let failed = true;
    onTestFinished(() => cluster.stop(failed));
    const nodes = cluster.nodes.map(({ uri }) => ({ host: new URL(uri).hostname, port: Number(new URL(uri).port) }));
    const transport = redisStreams({ cluster: { nodes }, prefix: "sharded", shards: 3, lease: 3_000 });
    const handled = new Map<number, number>();
    const shares = new Map<PapaApp, number>();
    const start = async () => {
      const app = new PapaApp({ transport, logger: quiet, concurrency: 10, drainTimeout: 5_000 });
      app.onEvent("x", { useCase: "uc" }, async (payload) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        const number = payload as number;
        handled.set(number, (handled.get(number) ?? 0) + 1);
        shares.set(app, (shares.get(app) ?? 0) + 1);
      });
      await app.start();
      return app;
    };
    const apps: PapaApp[] = [];
    onTestFinished(async () => void (await Promise.all(apps.map((app) => app.stop()))));
    for (let n = 0; n < INSTANCES; n += 1) apps.push(await start());
    const publisher = new PapaApp({ transport, logger: quiet, publishTimeout: PATIENCE });
    onTestFinished(() => publisher.stop());
    await publisher.start();
    let next = 0;
    const publish = async () => {
      for (let n = 0; n < EVENTS_PER_STEP; n += 10) {
        await Promise.all(Array.from({ length: 10 }, () => publisher.newEvent("x", next++)));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const allHandled = (what: string) => until(`all are handled ${what}`, () => handled.size === next, PATIENCE);

    for (let round = 0; round < 3; round += 1) {
      await publish();
      // A replica that takes over may lack what its master confirmed last.
      await allHandled(`before master ${round} is killed`);
      const roles = await Promise.all(cluster.nodes.map(({ uri }) => roleOf(uri)));
      const master = cluster.nodes.find((_, index) => roles[index] === "master" && index >= round % 3);
      await master?.kill();
      await publish();
      await allHandled(`while master ${round} is away`);
      await master?.restart();
      await until("it follows", async () => (await roleOf(master?.uri ?? "")) === "slave", PATIENCE);
      apps.push(await start());
      await apps.shift()?.stop();
    }
    shares.clear();
    await publish();
    await allHandled("at last");
    const counts = apps.map((app) => shares.get(app) ?? 0);
    expect(Math.min(...counts)).toBeGreaterThan(EVENTS_PER_STEP / INSTANCES / 2);
    const repeated = [...handled.values()].filter((count) => count > 1).length;
    console.info(`${next} events, ${repeated} of them handled again, shares at last ${counts.join(", ")}`);
    failed = false;
  },
  600_000,
);
