import { redis as startRedis } from "@papa-events/conformance/brokers";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { readOptions } from "../../src/client/options.ts";
import { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { BindingCache } from "../../src/declarations/bindings.ts";
import { Inbox } from "../../src/publishing/inbox.ts";
import { forwardInbox } from "../../src/scripts/forward-inbox.ts";
import { Keys } from "../../src/wire/keys.ts";
import { declared, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L5 several apps forward an event once to each use case, with its own id, headers and time", async () => {
  const space = new Space();
  const seen: unknown[] = [];
  const apps = [1, 2, 3].map(() =>
    space
      .app()
      .onEvent("order.*", { useCase: "one" }, (_, { id, headers, time }) => void seen.push(["one", id, headers, time]))
      .onEvent("#", { useCase: "two" }, (_, { id, headers, time }) => void seen.push(["two", id, headers, time])),
  );
  await Promise.all(apps.map((app) => app.start()));
  const entry = await space.redis.xadd(
    space.key("inbox"),
    "*",
    "event",
    "order.paid",
    "payload",
    "{}",
    "tenant",
    "t-1",
    "ce_id",
    "its-own-id",
  );
  await until("both have it", () => seen.length >= 2);
  const time = new Date(Number.parseInt(entry ?? "", 10));
  const expected = ["one", "two"].map((useCase) => [useCase, "its-own-id", { tenant: "t-1" }, time]);
  expect(seen).toHaveLength(2);
  expect(seen).toEqual(expect.arrayContaining(expected));
  expect(await space.redis.xlen(space.key("inbox"))).toBe(0);
});

test("L5 an entry of the inbox without a name is logged and set aside, not dropped", async () => {
  const space = new Space();
  const errors: string[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (fields: unknown, message?: string) => void errors.push(`${JSON.stringify(fields)} ${message}`),
  };
  const app = space.app({ logger }).onEvent("#", { useCase: "uc" }, () => {});
  const entry = await space.redis.xadd(space.key("inbox"), "*", "payload", "{}", "evnt", "a.typo");
  await app.start();
  await until("it is set aside", async () => (await space.redis.xlen(space.key("inbox:refused"))) === 1);
  const [refused] = await space.redis.xrange(space.key("inbox:refused"), "-", "+");
  expect(refused?.[1]).toEqual(["payload", "{}", "evnt", "a.typo"]);
  expect(errors.join()).toContain(entry ?? "no entry");
  expect(await space.redis.xlen(space.key("inbox"))).toBe(0);
});

test("H9 what is set aside is bounded in number", async () => {
  const space = new Space();
  const app = space.app().onEvent("#", { useCase: "uc" }, () => {});
  const inbox = space.key("inbox");
  await Promise.all(Array.from({ length: 1_500 }, () => space.redis.xadd(inbox, "*", "evnt", "a.typo")));
  await app.start();
  await until("all are set aside", async () => (await space.redis.xlen(inbox)) === 0);
  // The server trims by nodes of a hundred.
  const left = await space.redis.xlen(space.key("inbox:refused"));
  expect([left >= 1_000, left < 1_200]).toEqual([true, true]);
});

test("H9 what is set aside is bounded in bytes", async () => {
  const space = new Space();
  const app = space.app().onEvent("#", { useCase: "uc" }, () => {});
  const inbox = space.key("inbox");
  const large = "x".repeat(1_048_576);
  for (let n = 0; n < 30; n += 1) await space.redis.xadd(inbox, "*", "evnt", "a.typo", "text", large);
  await app.start();
  await until("all are set aside", async () => (await space.redis.xlen(inbox)) === 0);
  const left = await space.redis.xlen(space.key("inbox:refused"));
  expect([left >= 10, left <= 16]).toEqual([true, true]);
});

test("H9 the inbox is read and forwarded in parts of bounded bytes", async () => {
  const space = new Space();
  const connection = await space.connect();
  const useCases = Array.from({ length: 6 }, (_, n) => `uc-${n}`);
  await connection.declarations.declare(useCases.map((name) => declared(name, "x")));
  const payload = "x".repeat(500_000);
  for (let n = 0; n < 24; n += 1) await space.redis.xadd(space.key("inbox"), "*", "event", "x", "payload", payload);
  const scripts = vi.spyOn(ReconnectingConnection.prototype, "run");
  onTestFinished(() => scripts.mockRestore());
  await connection.declarations.declare([declared("reader", "y")]);
  await connection.subscribe("reader", { readAhead: 1, declaration: "any" }, () => {});
  await until("all is forwarded", async () => (await space.redis.xlen(space.key("inbox"))) === 0);
  for (const name of useCases) expect((await connection.inspect(name)).ready).toBe(24);
  const sizes = scripts.mock.calls.flatMap(([script, , args]) =>
    script === forwardInbox ? args.filter((arg) => String(arg).length > payload.length).length : [],
  );
  // Each of them is added six times.
  expect(Math.max(...sizes)).toBeLessThanOrEqual(3);
});

test("L5 an entry with any id, or of thousands of fields, holds up no other", async () => {
  const space = new Space();
  const seen: unknown[] = [];
  const app = space.app().onEvent("#", { useCase: "uc" }, (payload) => void seen.push(payload));
  const inbox = space.key("inbox");
  const fields = Array.from({ length: 10_000 }, (_, n) => `${n}`);
  await space.redis.xadd(inbox, "0-1", "event", "x", "payload", "1");
  await space.redis.xadd(inbox, "1000-1", ...fields);
  await space.redis.xadd(inbox, "1000-2", "event", "x", "payload", "2", ...fields);
  await space.redis.xadd(inbox, `${BigInt(Date.now()) * 1_000_000n}-0`, "event", "x", "payload", "3");
  await app.start();
  await until("all are handled", () => seen.length === 3);
  expect(seen.sort()).toEqual([1, 2, 3]);
  const refused = await space.redis.xrange(space.key("inbox:refused"), "-", "+");
  expect(refused.flatMap(([, values]) => values)).toEqual(fields);
});

test("L6 an inbox that cannot be forwarded is reported as a problem, until it can", async () => {
  const space = new Space();
  const problems: (string | undefined)[] = [];
  const onProblem = (subject: string, problem?: string) => void (subject === "inbox" && problems.push(problem));
  const connection = await space.connect({ onProblem });
  await connection.declarations.declare([declared("uc", "x"), declared("odd", "x")]);
  await space.redis.del(space.key("queue:odd"));
  await space.redis.set(space.key("queue:odd"), "not a queue");
  await connection.subscribe("uc", { readAhead: 5, declaration: "any" }, () => {});
  await space.redis.xadd(space.key("inbox"), "*", "event", "x", "payload", "1");
  await until("it is reported", () => problems.length > 0);
  expect(problems[0]).toContain("WRONGTYPE");
  expect((await connection.inspect("uc")).inFlight).toBe(0);
  await space.redis.del(space.key("queue:odd"));
  await until("it is over", () => problems.at(-1) === undefined);
  expect((await connection.inspect("uc")).inFlight).toBe(1);
});

/** What an inbox is opened with, and a connection to the server. */
async function inboxOptions(space: Space) {
  const target = readOptions({ uri: space.url() });
  const control = await ReconnectingConnection.open({ target, connectionName: "inbox" });
  onTestFinished(() => control.close());
  const keys = new Keys(space.prefix);
  const bindings = new BindingCache(control, keys, async () => {});
  return { target, appName: "test", keys, bindings, connection: control, control, logger: quiet, onProblem: () => {} };
}

test("L5 an app that cannot forward what is in the inbox leaves it to another", async () => {
  const space = new Space();
  const cutOff = { up: false, whenUp: () => new Promise(() => {}) } as unknown as ReconnectingConnection;
  const first = await Inbox.open({ ...(await inboxOptions(space)), connection: cutOff });
  onTestFinished(() => first.close());
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  await connection.subscribe("uc", { readAhead: 1, declaration: "any" }, () => {});
  await space.redis.xadd(space.key("inbox"), "*", "event", "x", "payload", "1");
  await until("the other forwards it", async () => (await connection.inspect("uc")).inFlight === 1, 10_000);
});

test("L6 that nobody can be chosen to read the inbox is a problem for as long as that is so", async () => {
  const space = new Space();
  const problems: (string | undefined)[] = [];
  const replies = [Object.assign(new Error("READONLY You can't write"), { name: "ReplyError" })];
  const run = async () => {
    for (const reply of replies.splice(0)) throw reply;
    return 0;
  };
  const inbox = await Inbox.open({
    ...(await inboxOptions(space)),
    control: { up: true, run } as unknown as ReconnectingConnection,
    onProblem: (_, problem) => void problems.push(problem),
  });
  onTestFinished(() => inbox.close());
  await until("it is over", () => problems.length === 2);
  expect(problems).toEqual([expect.stringContaining("READONLY"), undefined]);
});

test("H8 entries of the inbox that are refused, many of them, hold up no other", async () => {
  const space = new Space();
  const connection = await space.connect();
  // What is refused by its second queue is not added to its first one either.
  await connection.declarations.declare([declared("uc", "x", "odd"), declared("uc-odd", "odd")]);
  await space.redis.del(space.key("queue:uc-odd"));
  await space.redis.set(space.key("queue:uc-odd"), "not a queue");
  const add = (event: string, payload: string) =>
    space.redis.xadd(space.key("inbox"), "*", "event", event, "payload", payload);
  await add("x", "1");
  // More than one read brings.
  await Promise.all(Array.from({ length: 150 }, () => add("odd", "0")));
  await add("x", "2");
  const handled: string[] = [];
  await connection.subscribe("uc", { readAhead: 5, declaration: "any" }, (delivery) => {
    handled.push(String(delivery.event.text ?? delivery.event.body));
    void delivery.settle({ kind: "done", outputs: [] });
  });
  await until("those around them are handled", () => handled.length === 2);
  await add("x", "3");
  await until("one that comes later is handled", () => handled.length === 3);
  expect(handled).toEqual(["1", "2", "3"]);
  await space.redis.del(space.key("queue:uc-odd"));
  await until("the others are forwarded", async () => (await space.redis.xlen(space.key("queue:uc-odd"))) === 150);
  await until("they are handled", () => handled.length === 153);
});

test("L5 one of many apps reads the inbox at a time, and when it is gone another does", async () => {
  const broker = await startRedis(inject("redisVersion"));
  onTestFinished(() => broker.stop());
  const space = new Space({ uri: broker.uri });
  const seen: unknown[] = [];
  const proxies = [];
  const apps = [];
  for (let n = 0; n < 5; n += 1) {
    const proxy = await space.proxy();
    proxies.push(proxy);
    const app = space.app({ address: proxy.uri, name: `app-${n}` });
    app.onEvent("#", { useCase: "uc" }, (payload) => void seen.push((payload as string).length));
    await app.start();
    apps.push(app);
  }
  const add = (bytes: number) =>
    space.redis.xadd(space.key("inbox"), "*", "event", "x", "payload", JSON.stringify("x".repeat(bytes)));
  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await space.redis.info("stats"))?.[1]);
  const before = await sent();
  for (let n = 0; n < 20; n += 1) await add(500_000);
  await until("all are handled", () => seen.length === 20);
  // Each once from the inbox and once from the queue, and not five times from the inbox.
  expect((await sent()) - before).toBeLessThan(30_000_000);
  // A clean stop hands over at once.
  await Promise.all(apps.slice(0, 3).map((app) => app.stop()));
  await add(1);
  await until("it is handled", () => seen.includes(1));
  // A dead one when its turn has ended.
  for (const proxy of proxies.slice(0, 4)) proxy.refuse();
  await add(2);
  await until("it is handled", () => seen.includes(2));
});
