import type { Connection, DeclarationRecord } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { declaration, quiet, Space } from "../support/broker.ts";
import { methodFrame, talkingProxy } from "../support/frames.ts";
import { json } from "../support/original.ts";
import { until } from "../support/wait.ts";

const event = (name: string, id: string) => ({ name, id, time: 0, headers: {}, body: Buffer.from("1") });
const patternsOf = (records: readonly DeclarationRecord[]) => records.flatMap(({ patterns }) => patterns).sort();

test("R6 a declaration counts while somebody renews it, and its binding goes after the grace", async () => {
  const space = new Space();
  const connection = await space.connect({ appName: "one" });
  const other = await space.connect({ appName: "two" });
  await other.declarations.declare([declaration("uc", "old.*")]);
  await connection.declarations.declare([declaration("uc", "new.*")]);
  expect(patternsOf(await connection.declarations.list("uc"))).toEqual(["new.*", "old.*"]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await connection.declarations.declare([declaration("uc", "new.*")]);
  await connection.declarations.withdraw("uc", ["old.*", "new.*"], 250);
  expect(patternsOf(await connection.declarations.list("uc"))).toEqual(["new.*"]);
  await connection.publish([event("old.a", "1"), event("new.a", "2")]);
  await until("what is still bound", async () => (await space.size("uc")) === 1);
  // Declared again, it is bound again.
  await other.declarations.declare([declaration("uc", "old.*")]);
  await connection.publish([event("old.a", "3")]);
  await until("what is bound again", async () => (await space.size("uc")) === 2);
});

test("R6, R9 each declaration is listed with its id, its app and its age, for one use case and for all", async () => {
  const space = new Space();
  const one = await space.connect({ appName: "one" });
  const two = await space.connect({ appName: "two" });
  await one.declarations.declare([declaration("uc", "a.*", "b"), declaration("other", "constructor", "__proto__")]);
  await two.declarations.declare([declaration("uc", "a.*")]);
  const all = await two.declarations.list();
  expect(all).toHaveLength(3);
  expect(all).toContainEqual({
    useCase: "uc",
    app: "one",
    id: "a.* b",
    patterns: ["a.*", "b"],
    idle: expect.any(Number),
  });
  expect(all).toContainEqual({ useCase: "uc", app: "two", id: "a.*", patterns: ["a.*"], idle: expect.any(Number) });
  expect(await two.declarations.list("other")).toMatchObject([{ app: "one", patterns: ["constructor", "__proto__"] }]);
  await until("an age", async () => (await two.declarations.list("uc")).every(({ idle }) => idle > 50));
  await one.declarations.declare([declaration("uc", "a.*", "b")]);
  const [renewed, left] = await two.declarations.list("uc");
  expect(renewed?.idle).toBeLessThan(left?.idle ?? 0);
});

test("R6 declarations survive any number of reads and of instances that start at once", async () => {
  const space = new Space();
  const connections = await Promise.all(Array.from({ length: 12 }, (_, n) => space.connect({ appName: `app-${n}` })));
  await Promise.all(connections.map((each, n) => each.declarations.declare([declaration("uc", `a.${n}`)])));
  const reads = connections.map(async (each) => {
    for (let n = 0; n < 40; n += 1) expect(await each.declarations.list("uc")).toHaveLength(12);
  });
  await Promise.all(reads);
  await until("the one message", async () => (await space.size("domain_events:registry")) === 1);
});

test("R6 two records that a crash left behind count as one", async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declaration("uc", "a")]);
  const channel = await space.channel();
  const left = { useCase: "uc", app: "gone", id: "b", patterns: ["b"], count: 3, at: 0 };
  channel.sendToQueue(space.name("domain_events:registry"), json({ declarations: [left, "nonsense", { useCase: 1 }] }));
  await until("both", async () => (await space.size("domain_events:registry")) === 2);
  expect(patternsOf(await connection.declarations.list("uc"))).toEqual(["a", "b"]);
  await connection.declarations.declare([declaration("uc", "a")]);
  expect(await space.size("domain_events:registry")).toBe(1);
  const records = await connection.declarations.list("uc");
  expect(patternsOf(records)).toEqual(["a", "b"]);
  // Its own clock says that nobody has declared it for ages.
  expect(records.find(({ app }) => app === "gone")?.idle).toBeGreaterThan(3_600_000);
});

test("R6 what the version before recorded is taken over, also while an instance of it still runs", async () => {
  const space = new Space();
  const channel = await space.channel();
  const queue = space.name("uc:declared");
  const record = async (patterns: object) => {
    await channel.assertQueue(queue, {
      arguments: { "x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "drop-head" },
    });
    channel.sendToQueue(queue, json({ patterns, delays: [700] }));
    await until("the record", async () => (await space.size("uc:declared")) === 1);
  };
  await record({ "old.*": 7, kept: 2 });
  const connection = await space.connect();
  await connection.declarations.declare([declaration("uc", "kept")]);
  expect(await connection.declarations.list("uc")).toEqual([
    { useCase: "uc", app: "test", id: "kept", patterns: ["kept"], idle: expect.any(Number) },
    { useCase: "uc", app: undefined, id: undefined, patterns: ["old.*", "kept"], idle: expect.any(Number) },
  ]);
  await record({ "newer.*": 1 });
  await connection.declarations.declare([declaration("uc", "kept")]);
  expect(patternsOf(await connection.declarations.list("uc"))).toEqual(["kept", "kept", "newer.*", "old.*"]);
  await connection.declarations.withdraw("uc", ["old.*", "newer.*"], 0);
  expect(patternsOf(await connection.declarations.list("uc"))).toEqual(["kept", "kept"]);
});

test("L8 an exchange that somebody deleted comes back with every binding of the namespace", async () => {
  const space = new Space();
  const warnings: string[] = [];
  const one = await space.connect({
    logger: { ...quiet, warn: (_: object, text?: string) => void warnings.push(`${text}`) },
  });
  const two = await space.connect();
  await one.declarations.declare([declaration("a", "x.*")]);
  await two.declarations.declare([declaration("b", "x.*")]);
  expect(await one.publish([event("x.y", "1")])).toEqual([]);
  expect(await two.publish([event("other", "1")])).toEqual([]);
  const channel = await space.channel();
  await channel.deleteExchange(space.name("domain_events"));
  // Both find that it is missing, and whoever comes second must not publish past what the first has not bound yet.
  const confirmed = (connection: Connection, id: string) =>
    until("a confirm", async () => (await connection.publish([event("x.y", id)])).length === 0);
  await Promise.all([confirmed(one, "2"), confirmed(two, "3")]);
  await until("all events in both queues", async () => (await space.size("a")) === 3 && (await space.size("b")) === 3);
  expect(warnings).toContain("An exchange was deleted; it is declared and bound again.");
});

test("L7 while the broker takes no messages a use case can be declared, consumed and looked at", async () => {
  const space = new Space();
  const { port, toClients } = await talkingProxy();
  const first = await space.connect();
  await first.declarations.declare([declaration("uc", "x")]);
  await first.publish([event("x", "1")]);
  const problems: unknown[] = [];
  const connection = await space.connect({ port, onProblem: (...problem) => problems.push(problem) });
  // As RabbitMQ says when it runs short of memory, on both connections.
  toClients(methodFrame(10, 60, Buffer.from("\x06memory")));
  await until("the alarm", () => problems.length === 2);
  await connection.declarations.declare([declaration("uc", "x", "y")]);
  // More often than RabbitMQ 4 lets a message come back: a look cannot store it anew now.
  for (let looks = 0; looks < 25; looks += 1)
    expect(await connection.inspect("uc")).toEqual({ ready: 1, inFlight: 0, waiting: 0, dead: 0 });
  expect(patternsOf(await connection.declarations.list("uc"))).toEqual(["x"]);
  const settled: unknown[] = [];
  await connection.subscribe("uc", { readAhead: 5, declaration: "" }, (delivery) => {
    void delivery.settle({ kind: "done", outputs: [] }).then((each) => settled.push(each));
  });
  await first.publish([event("y", "2")]);
  await until("both events", () => settled.length === 2);
  toClients(methodFrame(10, 61, Buffer.alloc(0)));
  await until("the end of the alarm", () => problems.length === 4);
  await connection.declarations.declare([declaration("uc", "x", "y")]);
  expect(patternsOf(await connection.declarations.list("uc"))).toEqual(["x", "x", "y"]);
});
