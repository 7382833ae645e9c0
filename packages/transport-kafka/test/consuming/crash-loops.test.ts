import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Delivery } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { brokerUri, declare, event, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

const PROGRAM = fileURLToPath(new URL("../support/dying-program.ts", import.meta.url));

test("T6 of 31 events one kills its process: it becomes a dead letter, and the others are handled", async () => {
  const space = new Space();
  const app = space.app();
  app.onEvent("nothing", { useCase: "bystander" }, () => {});
  await app.start();
  await declare(await space.connect(), "killed", ["work"]);
  const payloads = Array.from({ length: 31 }, (_, number) => (number === 7 ? "poison" : number));
  const published = await app.newEvents(payloads.map((payload) => ({ name: "work", payload })));
  const letters = app.deadLetters("killed");
  const handled = new Set<string>();
  let deaths = 0;
  while ((await letters.count()) === 0) {
    const child = spawn(process.execPath, [PROGRAM, `${brokerUri()}?prefix=${space.prefix}&sessionTimeout=1000`]);
    child.stdout.on("data", (data: Buffer) => {
      for (const id of data.toString().trim().split("\n")) handled.add(id);
    });
    const exited = once(child, "exit");
    let ended = false;
    void exited.then(() => (ended = true));
    await until("it dies, or the poison is dead", async () => ended || (await letters.count()) > 0, 30_000);
    if (!ended) {
      await until("the others are handled", () => handled.size === 30);
      child.kill("SIGKILL");
    } else deaths += 1;
    await exited;
  }
  // Twice before it is a suspect, then five times alone.
  expect(deaths).toBe(7);
  const { items } = await letters.list();
  expect(items.map(({ reason, payload }) => [reason, payload])).toEqual([["crash-loop", "poison"]]);
  expect(handled.size).toBe(30);
  expect(published.filter(({ id }) => !handled.has(id)).map(({ id }) => id)).toEqual([items[0]?.eventId]);
}, 120_000);

test("T6 ten clean stops behind a long handler count nothing, one death counts once", async () => {
  const space = new Space();
  await declare(await space.connect(), "stopped", ["held"]);
  await (await space.connect()).publish(Array.from({ length: 20 }, (_, number) => event("held", number)));
  const counts = async (end: "stop" | "die") => {
    const { proxy, options } = await space.proxy();
    const connection = await space.connect({ ...options, sessionTimeout: 1_000 });
    const deliveries: Delivery[] = [];
    await connection.subscribe("stopped", subscribing(50), (delivery) => deliveries.push(delivery));
    await until("all are delivered", () => deliveries.length === 20);
    if (end === "stop") await connection.close();
    else proxy.refuse();
    return new Set(deliveries.map(({ redeliveries }) => redeliveries));
  };
  for (let round = 0; round < 10; round += 1) expect(await counts("stop")).toEqual(new Set([0]));
  expect(await counts("die")).toEqual(new Set([0]));
  expect(await counts("die")).toEqual(new Set([1]));
  expect(await counts("stop")).toEqual(new Set([2]));
});

test("T6 trials outlive their connections, until they are taken back", async () => {
  const space = new Space();
  const [first, second] = [await space.connect(), await space.connect()];
  await declare(first, "tried", ["trial"]);
  const begin = async (trial: string, eventId = "e") => (await first.trials?.begin("tried", eventId, trial)) ?? -1;
  expect([await begin("1"), await begin("2"), await begin("other", "of another\nevent")]).toEqual([0, 1, 0]);
  await first.close();
  expect(await second.trials?.begin("tried", "e", "3")).toBe(2);
  await second.trials?.end("tried", "e", "3");
  expect(await second.trials?.begin("tried", "e", "4")).toBe(2);
  await second.trials?.end("tried", "e");
  expect(await second.trials?.begin("tried", "e", "5")).toBe(0);
  expect(await second.trials?.begin("tried", "of another\nevent", "6")).toBe(1);
});
