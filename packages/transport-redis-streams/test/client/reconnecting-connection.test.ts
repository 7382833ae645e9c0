import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { isCluster } from "../../src/client/endpoint.ts";
import { readOptions } from "../../src/client/options.ts";
import { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { startCluster } from "../support/cluster.ts";
import { encoded } from "../support/events.ts";
import { startSentinel } from "../support/sentinel.ts";
import { server } from "../support/server.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L3 SCRIPT FLUSH and killed connections lose nothing", async () => {
  const space = new Space();
  const handled: number[] = [];
  const outs: unknown[] = [];
  // Names of their own: other tests' connections are not to be killed.
  const [name, publisherName] = [`${space.prefix}-app`, `${space.prefix}-publisher`];
  const app = space.app({ name, retryDelay: 20, retries: 1 });
  app.onEvent("x", { useCase: "uc" }, (n, { attempt }) => {
    if (attempt === 1 && (n as number) % 10 === 0) throw new Error("once");
    handled.push(n as number);
    return { name: "out", payload: n };
  });
  app.onEvent("out", { useCase: "sink" }, (n) => void outs.push(n));
  await app.start();
  const publisher = space.app({ name: publisherName });
  await publisher.start();
  const all: Promise<unknown>[] = [];
  for (let round = 0; round < 20; round += 1) {
    all.push(publisher.newEvents(Array.from({ length: 50 }, (_, n) => ({ name: "x", payload: round * 50 + n }))));
    if (round % 2 === 0) await space.redis.script("FLUSH");
    const clients = String(await space.redis.client("LIST")).split("\n");
    const victims = clients.filter(
      (line) => line.includes(`name=${name}:uc`) || line.includes(`name=${publisherName}`),
    );
    const victim = victims[round % Math.max(victims.length, 1)];
    const id = /\bid=(\d+)/.exec(victim ?? "")?.[1];
    if (id !== undefined) await space.redis.client("KILL", "ID", id);
  }
  await Promise.all(all);
  await until("all are handled", () => new Set(handled).size === 1_000 && new Set(outs).size === 1_000);
  await until("nothing is left", async () => {
    const stats = await app.stats();
    return Object.values(stats).every(({ ready, inFlight, waiting, dead }) => ready + inFlight + waiting + dead === 0);
  });
  // The outputs and the acknowledgement are one step: each handled delivery has exactly one.
  expect(outs.length).toBe(handled.length);
});

test("L3 a stall that is longer than ten seconds does not drop the connection while the lease is longer", async () => {
  const space = new Space({ lease: 60_000 });
  const proxy = await space.proxy();
  const statuses: boolean[] = [];
  const onStatus = ({ connected }: { readonly connected: boolean }) => void statuses.push(connected);
  const connection = await space.connect({ address: proxy.uri, onStatus });
  await connection.declarations.declare([declared("uc", "x")]);
  proxy.stall();
  const published = connection.publish([encoded("x", 1)]);
  const began = performance.now();
  await until("the stall is longer than ten seconds", () => performance.now() - began > 11_000);
  proxy.flow();
  expect(await published).toEqual([]);
  expect(statuses).toEqual([]);
  expect((await connection.inspect("uc")).ready).toBe(1);
});

test("L3 a connection whose set-up fails while Sentinel is slow to say where to connect comes up again", async () => {
  const { at, client: beside } = await server();
  const sentinel = await startSentinel(at);
  let setUps = 0;
  const connection = await ReconnectingConnection.open({
    target: readOptions({ connection: { sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: "main" } }),
    connectionName: "slow",
    setUp: async (client) => {
      setUps += 1;
      if (setUps !== 2) return;
      sentinel.ready = pause(1_000);
      await beside.client("KILL", "ID", Number(await client.client("ID")));
      await client.ping();
    },
  });
  onTestFinished(() => connection.close());
  await beside.client("KILL", "ID", Number(await connection.client.client("ID")));
  await until("it is set up again", () => setUps === 3 && connection.up);
});

test("L3 a cluster is connected to again though a node closes late, while the others' addresses are looked up", async () => {
  const [port] = await startCluster();
  let lookup = 0;
  const connection = await ReconnectingConnection.open({
    target: readOptions({
      cluster: {
        nodes: [{ host: "nodes.test", port }],
        options: {
          dnsLookup: (_, resolve) => {
            setTimeout(() => resolve(null, "127.0.0.1"), lookup);
            lookup = 0;
          },
        },
      },
    }),
    connectionName: "slow",
    setUp: async (client) => {
      if (isCluster(client)) await Promise.all(client.nodes().map((node) => node.ping()));
    },
  });
  onTestFinished(() => connection.close());
  // ioredis gives a node two seconds to close.
  lookup = 3_000;
  connection.client.disconnect(true);
  await until("it is down", () => !connection.up);
  await until("it is up again", () => connection.up);
});
