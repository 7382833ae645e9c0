import type { Delivery } from "@papa-events/core/transport";
import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { readOptions } from "../../src/client/options.ts";
import { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { ReadAhead } from "../../src/consuming/read-ahead.ts";
import { Reader, type ReadingConsumer } from "../../src/consuming/reader.ts";
import { Keys } from "../../src/wire/keys.ts";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("H1 entries whose reply was lost are read back, once, with nothing counted", async () => {
  const space = new Space({ lease: 60_000 });
  const proxy = await space.proxy();
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  const deliveries: Delivery[] = [];
  const consumer = await space.connect({ address: proxy.uri });
  await consumer.subscribe("uc", { readAhead: 100, declaration: "any" }, (delivery) => deliveries.push(delivery));
  await publisher.publish([encoded("x", 0)]);
  await until("it consumes", () => deliveries.length === 1);
  await until("its reader waits", async () => String(await space.redis.client("LIST")).includes("cmd=xreadgroup"));
  // The reader's read is with the server by now; its reply is held back.
  proxy.stall();
  await publisher.publish(Array.from({ length: 20 }, (_, n) => encoded("x", n + 1)));
  await until("the server has delivered them", async () => (await publisher.inspect("uc")).inFlight === 21);
  proxy.cut();
  proxy.flow();
  await until("all have arrived", () => deliveries.length === 21);
  expect(new Set(deliveries.map(({ event }) => event.body.toString())).size).toBe(21);
  expect(deliveries.every(({ redeliveries }) => redeliveries === 0)).toBe(true);
  await Promise.all(deliveries.map((delivery) => delivery.settle({ kind: "done", outputs: [] })));
  expect(await publisher.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
});

test("H9 entries that are pending again, as after a server lost its last second, are read as there is room for them", async () => {
  const space = new Space({ lease: 60_000 });
  const connection = await space.connect({ appName: space.prefix });
  await connection.declarations.declare([declared("uc", "x")]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("uc", { readAhead: 10, declaration: "any" }, (delivery) => deliveries.push(delivery));
  const queue = space.key("queue:uc");
  const [consumer = ""] = await space.redis.zrange(space.key("leases:uc"), 0, "0");
  // In one step, so that the subscriber reads none of them.
  const commands = space.redis.multi();
  for (let n = 0; n < 200; n += 1) commands.xadd(queue, "*", "e", `1 x\n{}\n${n}`);
  commands.xreadgroup("GROUP", "papa", consumer, "COUNT", 200, "STREAMS", queue, ">");
  // One of them was deleted since.
  const first = (await commands.exec())?.[0]?.[1] as string;
  await space.redis.xdel(queue, first);
  const reads = vi.spyOn(Redis.prototype, "xrangeBuffer");
  onTestFinished(() => reads.mockRestore());
  const clients = String(await space.redis.client("LIST")).split("\n");
  const own = clients.find((line) => line.includes(`name=${space.prefix} `)) ?? "";
  await space.redis.client("KILL", "ID", Number(/\bid=(\d+)/.exec(own)?.[1]));
  await until("some are out", () => deliveries.length === 10);
  expect(reads.mock.calls.length).toBeLessThanOrEqual(11);
  const handled = new Set<string>();
  await until("all are handled, each once", async () => {
    for (const delivery of deliveries.splice(0)) {
      const text = String(delivery.event.body);
      expect(handled.has(text)).toBe(false);
      handled.add(text);
      expect(await delivery.settle({ kind: "done", outputs: [] })).toBe("stored");
    }
    return handled.size === 199;
  });
});

test("L6 a queue that cannot be read or acknowledged is reported as a problem, until it is made again", async () => {
  const space = new Space();
  const problems = new Map<string, string>();
  const connection = await space.connect({
    onProblem: (subject, problem) => {
      if (problem === undefined) problems.delete(subject);
      else problems.set(subject, problem);
    },
  });
  await connection.declarations.declare([declared("uc", "x")]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("uc", { readAhead: 5, declaration: "any" }, (delivery) => deliveries.push(delivery));
  await connection.publish([encoded("x", 1)]);
  await until("it is out", () => deliveries.length === 1);
  await space.redis.set(space.key("queue:uc"), "not a queue");
  const settling = deliveries[0]?.settle({ kind: "done", outputs: [] });
  await until("both are reported", () => problems.has('consuming "uc"') && problems.has('acknowledging "uc"'));
  await until("the reason is reported", () => /WRONGTYPE|is a string/.test(problems.get('consuming "uc"') ?? ""));
  await space.redis.del(space.key("queue:uc"));
  expect(await settling).toBe("lost");
  await connection.publish([encoded("x", 2)]);
  await until("it goes on", () => deliveries.length === 2);
  await until("the problems are over", () => problems.size === 0);
});

test("L6 a queue that is merely elsewhere for now, as while its slot moves, is not told to be missing", async () => {
  const space = new Space();
  const connection = await ReconnectingConnection.open({
    target: readOptions({ uri: space.url() }),
    connectionName: "reader",
  });
  const said: unknown[] = [];
  const say = (...what: unknown[]) => void said.push(what);
  const consumer: ReadingConsumer = {
    open: true,
    consumer: "me",
    ...{ room: 1, roomBytes: 1_000, held: 0, handedOut: 0, takes: true },
    entries: () => new Set(),
    deliver: () => {},
    adoptLate: async () => {},
    exclusively: (act) => act(),
    wake: () => {},
  };
  let tries = 0;
  const reader = new Reader(consumer, {
    useCase: "uc",
    target: readOptions({ uri: space.url() }),
    appName: "test",
    readAhead: new ReadAhead(1),
    keys: new Keys(space.prefix).forUseCase("uc"),
    connection,
    control: connection,
    logger: { debug: say, info: say, warn: say, error: say },
    // As the server answers while some of the keys are moved.
    redeclare: async () => {
      tries += 1;
      throw connection.toPapaError(Object.assign(new Error("TRYAGAIN Multiple keys"), { name: "ReplyError" }));
    },
    onReadProblem: say,
  });
  await reader.open();
  reader.start();
  await until("it has looked for it twice", () => tries === 2);
  Object.assign(consumer, { open: false });
  await reader.stop();
  connection.close();
  expect(said).toEqual([]);
});

test("the server is asked for more before handlers begin, and only after that where there is no more", async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  await connection.publish(Array.from({ length: 20 }, (_, n) => encoded("x", n)));
  const steps: string[] = [];
  const { xreadgroupBuffer } = Redis.prototype;
  const reads = vi.spyOn(Redis.prototype, "xreadgroupBuffer").mockImplementation(function (this: Redis, ...args) {
    if (String(args.at(-2)) === space.key("queue:uc")) steps.push("read");
    return xreadgroupBuffer.apply(this, args);
  });
  onTestFinished(() => reads.mockRestore());
  await connection.subscribe("uc", { readAhead: 30, declaration: "any" }, (delivery) =>
    queueMicrotask(() => {
      steps.push("handle");
      void delivery.settle({ kind: "done", outputs: [] });
    }),
  );
  await until("all are handled", () => steps.filter((step) => step === "handle").length === 20);
  expect(steps.slice(0, 3)).toEqual(["read", "read", "handle"]);
  steps.length = 0;
  await connection.publish([encoded("x", 20)]);
  await until("it reads on", () => steps.length === 2);
  expect(steps).toEqual(["handle", "read"]);
});
