import type { Connection, Delivery, EncodedEvent } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { declaration, Space } from "../support/broker.ts";
import { run } from "../support/processes.ts";
import { startTestProxy } from "../support/proxy.ts";
import { until } from "../support/wait.ts";

const event = (n: number): EncodedEvent => ({
  name: "x",
  id: `event-${n}`,
  time: 0,
  headers: { ce_type: "x", ce_id: `event-${n}` },
  body: Buffer.from(String(n)),
});

/** A connection that fails the test if a consumer of it ends unasked. */
const connect = (space: Space) =>
  space.connect({ onProblem: (...problem) => expect.unreachable(`a problem: ${problem.join(" ")}`) });

async function declared(space: Space, count: number): Promise<Connection> {
  const connection = await connect(space);
  await connection.declarations.declare([declaration("uc", "x")]);
  expect(await connection.publish(Array.from({ length: count }, (_, n) => event(n)))).toEqual([]);
  return connection;
}

/** Takes all there is, and gives how often each came back. */
async function redeliveriesOf(space: Space, count: number): Promise<Map<string, number>> {
  const connection = await space.connect();
  const found = new Map<string, number>();
  await connection.subscribe(
    "uc",
    { readAhead: count * 2, declaration: "" },
    ({ event: { id = "" }, redeliveries }) => {
      found.set(id, redeliveries);
    },
  );
  await until("all of them", () => found.size === count);
  await connection.close();
  return found;
}

test("T6 no number of clean stops makes a suspect of an event or destroys it, also of one whose handler runs", {
  timeout: 120_000,
}, async () => {
  const space = new Space();
  const count = 60;
  const { close } = await declared(space, count);
  for (let stops = 0; stops < 24; stops += 1) {
    const connection = await connect(space);
    const out: Delivery[] = [];
    const subscription = await connection.subscribe("uc", { readAhead: 40, declaration: "" }, (delivery) => {
      out.push(delivery);
    });
    await until("as many as are read ahead", () => out.length === 40);
    const stopped = subscription.stop();
    // As the core does: what was not begun is released at once, and one handler outlives the stop.
    const released = out.splice(1).map((delivery) => delivery.settle({ kind: "release" }));
    await stopped;
    expect(new Set(await Promise.all(released))).toEqual(new Set(["stored"]));
    await connection.close();
    expect(out).toHaveLength(1);
    expect(out[0]?.lost).toBe(true);
    expect(await out[0]?.settle({ kind: "done", outputs: [] })).toBe("lost");
  }
  const found = await redeliveriesOf(space, count);
  expect(Math.max(...found.values())).toBeLessThanOrEqual(1);
  expect(await space.size("uc.retry")).toBe(0);
  void close;
});

test("T6 no change of the prefetch gives back what is on its way", async () => {
  const space = new Space();
  const connection = await declared(space, 3_000);
  let handled = 0;
  const subscription = await connection.subscribe("uc", { readAhead: 40, declaration: "" }, (delivery) => {
    handled += 1;
    expect(delivery.redeliveries).toBe(0);
    void delivery.settle({ kind: "done", outputs: [] });
  });
  for (const limit of [400, 40, 300, 20, 500]) {
    const before = handled;
    subscription.readAhead(limit);
    await until("some more", () => handled > before + 200 || handled === 3_000);
  }
  await subscription.stop();
  const left = 3_000 - handled;
  await connection.close();
  const channel = await space.channel();
  await until(`the rest, which is ${left}`, async () => (await space.size("uc")) === left);
  const counts: unknown[] = [];
  for (let n = 0; n < left; n += 1) {
    const message = await channel.get(space.name("uc"));
    if (message === false) break;
    const count: unknown = message.properties.headers?.["x-delivery-count"] ?? 0;
    if (count !== 0) counts.push(count);
  }
  expect(counts).toEqual([]);
});

test("T6 an event that is released while its consumer goes on is not taken again at once, nor ever worn out", async () => {
  const space = new Space();
  const connection = await declared(space, 1);
  const times: number[] = [];
  await connection.subscribe("uc", { readAhead: 5, declaration: "" }, (delivery) => {
    times.push(performance.now());
    expect(delivery.redeliveries).toBeLessThanOrEqual(1);
    void delivery.settle({ kind: times.length < 4 ? "release" : "done", outputs: [] });
  });
  await until("the last", () => times.length === 4);
  for (const [n, time] of times.entries()) if (n > 0) expect(time - (times[n - 1] ?? 0)).toBeGreaterThan(500);
});

test("T6 the connections that this process has lost make no suspects of its events", async () => {
  const space = new Space();
  const proxy = await startTestProxy();
  await declared(space, 1);
  const connection = await space.connect({ port: proxy.port });
  const found: number[] = [];
  await connection.subscribe("uc", { readAhead: 5, declaration: "" }, ({ redeliveries }) => found.push(redeliveries));
  for (let cuts = 1; cuts <= 4; cuts += 1) {
    await until("the delivery", () => found.length === cuts);
    proxy.cut();
  }
  await until("the last delivery", () => found.length === 5);
  expect(found).toEqual([0, 0, 0, 0, 0]);
});

test("D1, H6 what the broker counts on an event that came back is in no handler's headers and in no dead letter's", async () => {
  const space = new Space();
  const first = space.app({ drainTimeout: 0 });
  const held = Promise.withResolvers<void>();
  let isHeld = false;
  first.onEvent("x", { useCase: "uc" }, () => {
    isHeld = true;
    return held.promise;
  });
  await first.start();
  await first.newEvent("x", 1, { headers: { mine: "1" } });
  await until("it is held", () => isHeld);
  await first.stop();
  held.resolve();
  const seen: string[][] = [];
  const second = space.app({ retries: 1, retryDelay: 100 }).onEvent("x", { useCase: "uc" }, (_, { headers }) => {
    seen.push(Object.keys(headers));
    throw new Error("no");
  });
  await second.start();
  const letters = second.deadLetters("uc");
  await until("it is given up", async () => (await letters.count()) === 1);
  const [letter] = (await letters.list()).items;
  const names = [...seen, Object.keys(letter?.headers ?? {})];
  expect(names).toHaveLength(3);
  for (const each of names) expect(each).toContain("mine");
  expect(names.flat().filter((name) => name.startsWith("x-"))).toEqual([]);
});

test("T6, H8 an event that kills its process becomes one dead letter, and the thirty beside it are handled", {
  timeout: 180_000,
}, async () => {
  const space = new Space();
  const declaring = space.app().onEvent("x", { useCase: "uc" }, () => {});
  await declaring.start();
  await declaring.stop();
  const app = space.app();
  await app.start();
  await app.newEvents(Array.from({ length: 31 }, (_, n) => ({ name: "x", payload: n })));
  const handled = new Set<string>();
  let deaths = 0;
  let done = false;
  const running = (async () => {
    while (!done) {
      const child = run("poison", space.url(), (line) => handled.add(line));
      await new Promise<void>((resolve) => {
        child.once("exit", () => resolve());
        void until("all handled", () => done, 170_000).then(() => child.kill("SIGKILL"));
      });
      deaths += 1;
    }
  })();
  const letters = app.deadLetters("uc");
  await until("the dead letter", async () => (await letters.count()) === 1 && handled.size === 30, 170_000);
  done = true;
  await running;
  expect((await letters.list()).items).toMatchObject([{ payload: 0, reason: "crash-loop", attempts: 1 }]);
  expect(handled).toEqual(new Set(Array.from({ length: 30 }, (_, n) => `handled ${n + 1}`)));
  expect(deaths).toBeLessThan(12);
});
