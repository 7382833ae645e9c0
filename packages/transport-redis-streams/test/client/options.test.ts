import { isPapaError } from "@papa-events/core";
import { fromUri, redisStreams } from "@papa-events/transport-redis-streams";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";

const problemOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (isPapaError(error, "invalid-option")) return error.message;
    throw error;
  }
  return "";
};

describe("L4 an invalid target throws at the call, without its password", () => {
  test.each([
    ["redis://:s3cret@", "form redis://"],
    ["amqp://user:s3cret@localhost", "form redis://"],
    ["redis://user:s3cret@localhost?vhost=a", 'unknown parameter "vhost"'],
    ["redis://user:s3cret@localhost/orders", "database"],
    ["redis://user:s3cret%zz@localhost", "percent|hex digits"],
    ["redis://user:s3cret@localhost?prefix=A_b", "prefix"],
    ["redis://user:s3cret@localhost?lease=10ms", "less than 500 ms"],
    ["redis://user:s3cret@localhost?lease=soon", "not a valid duration"],
    ["redis://user:s3cret@localhost?durability=some", "replicated"],
    ["redis://user:s3cret@localhost?connectTimeout=1", "connectTimeout"],
  ])("%s", (uri, problem) => {
    const message = problemOf(() => fromUri(uri));
    expect(message).toMatch(new RegExp(problem));
    expect(message).not.toContain("s3cret");
  });

  test.each([
    ["nothing", {}],
    ["two targets", { uri: "redis://localhost", connection: {} }],
    ["an unknown option", { uri: "redis://localhost", vhost: "a" }],
    ["a client that is not one", { client: {} }],
    ["a cluster without nodes", { cluster: { nodes: [] } }],
    ["TLS for a URL without", { uri: "redis://localhost", tls: {} }],
    ["replication on a cluster", { cluster: { nodes: [1] }, durability: "replicated" }],
  ])("%s", (_, options) => {
    expect(problemOf(() => redisStreams(options as never))).not.toBe("");
  });
});

test("L4 addresses name the server and never who logs in", () => {
  const own = new Redis({ lazyConnect: true, host: "h", port: 1, db: 2, password: "s3cret" });
  const addresses = [
    fromUri("redis://user:s3cret@localhost"),
    fromUri("rediss://:s3cret@[::1]:7000/3?prefix=orders&lease=5s"),
    redisStreams({ connection: { sentinels: [{ host: "s", port: 26_000 }], name: "main", password: "s3cret" } }),
    redisStreams({ cluster: { nodes: [7001, "redis://u:s3cret@n:7002", { host: "m" }] } }),
    redisStreams({ client: own }),
  ].map(({ address }) => address);
  expect(addresses).toEqual([
    "redis://localhost:6379",
    "rediss://[::1]:7000/3",
    'redis://s:26000 (Sentinel, "main")',
    "redis://localhost:7001,n:7002,m:6379",
    "redis://h:1/2",
  ]);
});
