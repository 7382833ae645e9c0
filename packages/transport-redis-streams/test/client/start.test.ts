import { type Broker, redis as startRedis } from "@papa-events/conformance/brokers";
import { isPapaError, PapaApp } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { rulesOf, rulesOnCluster } from "../support/accounts.ts";
import { encoded } from "../support/events.ts";
import { quiet, silent } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** A server of this file's own, since its settings are changed. */
let broker: Broker;
let admin: Redis;

beforeAll(async () => {
  broker = await startRedis(inject("redisVersion"));
  admin = new Redis(broker.uri);
});
afterAll(async () => {
  admin.disconnect();
  await broker.stop();
});

async function start(uri: string | Parameters<typeof redisStreams>[0]) {
  const warnings: string[] = [];
  const logger = { ...quiet, warn: (_: unknown, message?: string) => void warnings.push(message ?? "") };
  const app = new PapaApp({ transport: redisStreams(uri), logger });
  const error: unknown = await app.start().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await app.stop();
  return { error, warnings };
}

async function setting(name: string, value: string, during: () => Promise<void>): Promise<void> {
  const [, before = ""] = (await admin.config("GET", name)) as string[];
  await admin.config("SET", name, value);
  try {
    await during();
  } finally {
    await admin.config("SET", name, before);
  }
}

test("L4 a server that may evict is refused, one that keeps no append-only file is warned of", async () => {
  await setting("maxmemory-policy", "allkeys-lru", async () => {
    const { error } = await start(broker.uri);
    expect(isPapaError(error, "unsupported-broker") && error.message).toMatch(/allkeys-lru.*noeviction/);
  });
  await setting("maxmemory-policy", "volatile-ttl", async () => {
    const { error, warnings } = await start(broker.uri);
    expect(error).toBeUndefined();
    expect(warnings.join()).toContain("maxmemory-policy");
  });
  await setting("appendonly", "no", async () => {
    const { error, warnings } = await start(broker.uri);
    expect(error).toBeUndefined();
    expect(warnings.join()).toContain("appendonly yes");
  });
  expect((await start(broker.uri)).warnings).toEqual([]);
});

test("L3, L6 a server that may evict, connected to again, is told of until it may not", async () => {
  const problems: (string | undefined)[] = [];
  const connection = await redisStreams(`${broker.uri}?prefix=again`).connect({
    ...silent,
    onProblem: (subject, problem) => void (subject === "settings" && problems.push(problem)),
  });
  onTestFinished(() => connection.close());
  const reconnect = async () => {
    const before = problems.length;
    await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await until("it is checked again", () => problems.length > before);
  };
  const goesOn = () => until("it goes on", async () => (await connection.publish([encoded("x", 1)])).length === 0);
  await setting("maxmemory-policy", "allkeys-lru", async () => {
    await reconnect();
    await goesOn();
  });
  await reconnect();
  await goesOn();
  expect(problems).toEqual([expect.stringMatching(/allkeys-lru.*noeviction/), undefined]);
});

test("L4 wrong passwords and missing permissions are typed errors that show no secret", async () => {
  await admin.acl("SETUSER", "limited", "on", ">right:secret", "~*", "+@all", "-info");
  await admin.acl("SETUSER", "nothing", "on", ">right:secret", "~other*", "+@all");
  const at = (credentials: string) => broker.uri.replace("redis://", `redis://${credentials}@`);
  const limited = await start(at("limited:right%3Asecret"));
  expect([limited.error, limited.warnings.join()]).toEqual([undefined, expect.stringContaining("INFO")]);
  const wrong = await start(at("limited:wrong-secret"));
  expect(isPapaError(wrong.error, "access-refused") && wrong.error.message).not.toContain("secret");
  const app = new PapaApp({ transport: redisStreams(at("nothing:right%3Asecret")), logger: quiet });
  app.onEvent("a", { useCase: "uc" }, () => {});
  await expect(app.start()).rejects.toSatisfy((error) => isPapaError(error, "access-refused"));
});

test("L4 an account with the documented permissions does everything, on its own keys only", async () => {
  await admin.call("ACL", "SETUSER", "papa", ...(await rulesOf("handles", "permitted")));
  const transport = redisStreams(`${broker.uri.replace("redis://", "redis://papa:secret@")}?prefix=permitted`);
  const app = new PapaApp({ transport, logger: quiet, retries: 1, retryDelay: 10 });
  const attempts: number[] = [];
  app.onEvent("x", { useCase: "uc" }, (_, { attempt }) => {
    attempts.push(attempt);
    if (attempts.length < 3) throw new Error("ill");
    return { name: "y", payload: 1 };
  });
  app.onEvent("y", { useCase: "other" }, () => void attempts.push(0));
  await app.start();
  await app.newEvent("x", 1);
  const deadLetters = app.deadLetters("uc");
  await until("it is dead", async () => (await deadLetters.count()) === 1);
  expect((await deadLetters.list()).items).toHaveLength(1);
  expect(await deadLetters.redrive("all")).toBe(1);
  await admin.xadd("{papa-events:permitted}:inbox", "*", "event", "y", "payload", "1");
  await until("all is handled", () => attempts.length === 5);
  expect(attempts.sort()).toEqual([0, 0, 1, 1, 2]);
  await app.stop();
});

test("L4 a replica, a port without TLS and a server that never answers each fail the start within their time", async () => {
  const replica = await startRedis(inject("redisVersion"));
  const client = new Redis(replica.uri);
  try {
    const { hostname, port } = new URL(broker.uri);
    await client.replicaof(hostname, Number(port));
    const { error } = await start(replica.uri);
    expect(isPapaError(error, "unsupported-broker") && error.message).toContain("replica");
  } finally {
    client.disconnect();
    await replica.stop();
  }
  const tls = await start(`${broker.uri.replace("redis:", "rediss:")}?connectTimeout=500`);
  expect(isPapaError(tls.error, "connection-failed") && tls.error.message).toContain("TLS");
  await broker.pause();
  try {
    const began = performance.now();
    const { error } = await start(`${broker.uri}?connectTimeout=500`);
    expect(isPapaError(error, "connection-failed"), String(error)).toBe(true);
    expect(performance.now() - began).toBeLessThan(5_000);
  } finally {
    await broker.resume();
  }
});

test("L4 a start for which the server has too few connections leaves none behind, and can be tried again", async () => {
  const others = async () =>
    String(await admin.client("LIST"))
      .trim()
      .split("\n").length;
  await until("earlier tests have left", async () => (await others()) === 1);
  const app = new PapaApp({ transport: redisStreams(broker.uri), logger: quiet });
  for (let n = 0; n < 20; n += 1) app.onEvent("x", { useCase: `uc_${n}` }, () => {});
  await setting("maxclients", "12", async () => {
    for (let time = 0; time < 2; time += 1) {
      const error: unknown = await app.start().catch((thrown: unknown) => thrown);
      expect(isPapaError(error) && error.retryable, String(error)).toBe(true);
      expect(String(error)).toMatch(/max number of clients|maxclients/);
      await until("none is left", async () => (await others()) === 1);
    }
  });
  await app.start();
  await app.stop();
});

test("L4 an account with the documented permissions works on a cluster", async () => {
  const cluster = await startRedis("8.6-cluster");
  const operator = new Redis(cluster.uri);
  onTestFinished(async () => {
    operator.disconnect();
    await cluster.stop();
  });
  await operator.cluster("ADDSLOTSRANGE", 0, 16_383);
  await until("the cluster serves", async () => String(await operator.cluster("INFO")).includes("state:ok"));
  const rules = [...(await rulesOf("handles", "permitted")), ...(await rulesOnCluster())];
  await operator.call("ACL", "SETUSER", "papa", ...rules);
  const { hostname: host, port } = new URL(cluster.uri);
  const options = { redisOptions: { username: "papa", password: "secret" } };
  const nodes = [{ host, port: Number(port) }];
  const transport = redisStreams({ cluster: { nodes, options }, prefix: "permitted" });
  const handled: unknown[] = [];
  const app = new PapaApp({ transport, logger: quiet });
  app.onEvent("x", { useCase: "uc" }, (payload) => void handled.push(payload));
  await app.start();
  await app.newEvent("x", 1);
  await until("it is handled", () => handled.length === 1);
  await app.stop();
});
