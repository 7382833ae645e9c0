import { deadLetters } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { expect, onTestFinished, test } from "vitest";
import { pack } from "../../src/wire/packed-event.ts";
import { encoded } from "../support/events.ts";
import { run } from "../support/processes.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** The bar is 100,000, which a quiet machine is given by this variable: then the times that are printed say something. */
const COUNT = Number(process.env.PAPA_EVENTS_DEAD_LETTERS ?? 6_000);

/** Puts dead letters where the transport keeps them, as many as it says. */
async function fill(space: Space): Promise<void> {
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  for (let from = 0; from < COUNT; from += 1_000) {
    const commands = space.redis.pipeline();
    for (let n = from; n < from + 1_000; n += 1) {
      const headers = { papa_attempt: "6", papa_reason: "retries-exhausted", papa_error_stack: "at x\n".repeat(100) };
      commands.hset(space.key("dead:uc"), `d-${n}`, pack(encoded("x", { n, text: "x".repeat(200) }, headers)));
      commands.zadd(space.key("dead-order:uc"), n + 1, `d-${n}`);
    }
    await commands.exec();
  }
}

/** The numbers of the events in the queue and among the dead letters. */
async function numbers(space: Space) {
  const number = (packed = "") => Number(/"n":(\d+)/.exec(packed)?.[1]);
  const queue = (await space.redis.xrange(space.key("queue:uc"), "-", "+")).map(([, [, packed]]) => number(packed));
  return { queue, dead: (await space.redis.hvals(space.key("dead:uc"))).map(number) };
}

test("D2 the first page of many dead letters is listed, and all of them are redriven", async () => {
  const space = new Space();
  await fill(space);
  const letters = deadLetters(redisStreams(space.url()), "uc");
  onTestFinished(() => letters.close());
  const began = performance.now();
  expect((await letters.list({ limit: 50 })).items).toHaveLength(50);
  const listed = performance.now();
  expect(await letters.redrive("all")).toBe(COUNT);
  const seconds = (performance.now() - listed) / 1_000;
  console.info(`first page ${Math.round(listed - began)} ms, redriven ${Math.round(COUNT / seconds)} a second`);
  const { queue, dead } = await numbers(space);
  expect([new Set(queue).size, queue.length, dead.length]).toEqual([COUNT, COUNT, 0]);
});

test("D6 all of many dead letters are searched, and what is found is redriven", async () => {
  const space = new Space();
  await fill(space);
  const letters = deadLetters(redisStreams(space.url()), "uc");
  onTestFinished(() => letters.close());
  const began = performance.now();
  let found = 0;
  for await (const _ of letters.search({ text: "AT X" })) found += 1;
  const searched = performance.now();
  expect(found).toBe(COUNT);
  console.info(`searched ${COUNT} in ${Math.round(searched - began)} ms`);
  expect(await letters.redrive({ where: { text: "nothing of the kind" } })).toBe(0);
  expect(await letters.redrive({ where: { reason: "retries-exhausted" } })).toBe(COUNT);
  expect(new Set((await numbers(space)).queue).size).toBe(COUNT);
});

test("D4 a redrive of all that is killed midway loses none and repeats none, and a second one does the rest", async () => {
  const space = new Space();
  await fill(space);
  const lines: string[] = [];
  const child = run("redriving-child.ts", [space.url()], lines);
  await until("some are redriven", async () => (await space.redis.xlen(space.key("queue:uc"))) > COUNT / 10, 50_000);
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  const { queue, dead } = await numbers(space);
  expect(dead.length).toBeGreaterThan(0);
  expect(new Set([...queue, ...dead]).size).toBe(COUNT);
  expect(queue.length + dead.length).toBe(COUNT);
  const letters = deadLetters(redisStreams(space.url()), "uc");
  onTestFinished(() => letters.close());
  expect(await letters.redrive("all")).toBe(dead.length);
  expect(new Set((await numbers(space)).queue).size).toBe(COUNT);
});

test("D2 many ids are redriven in a few steps", async () => {
  const space = new Space();
  await fill(space);
  const letters = deadLetters(redisStreams(space.url()), "uc");
  onTestFinished(() => letters.close());
  const ids = Array.from({ length: COUNT }, (_, n) => `d-${n}`);
  const began = performance.now();
  expect(await letters.redrive([...ids, "unknown", "d-0"])).toBe(COUNT);
  expect(COUNT / ((performance.now() - began) / 1_000)).toBeGreaterThan(1_500);
  expect(new Set((await numbers(space)).queue).size).toBe(COUNT);
});
