import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { kill, run } from "../support/processes.ts";
import { until } from "../support/wait.ts";

test("D3 listings killed midway, more often than a message may return, lose no dead letter", {
  timeout: 120_000,
}, async () => {
  const space = new Space();
  const app = space.app({ retries: 0 });
  app.onEvent("x", { useCase: "uc" }, () => {
    throw new Error("no");
  });
  await app.start();
  const count = 300;
  await app.newEvents(Array.from({ length: count }, (_, n) => ({ name: "x", payload: n })));
  await until("all dead", async () => (await space.size("uc.dlq")) === count);
  const letters = app.deadLetters("uc");
  const before = await letters.list({ limit: 1_000 });
  for (let kills = 0; kills < 30; kills += 1) {
    let listing = false;
    const child = run("list", space.url(), (line) => {
      if (line === "listing") listing = true;
    });
    await until("a listing", () => listing);
    // Somewhere in it: a listing takes some tens of milliseconds.
    await new Promise((resolve) => setTimeout(resolve, kills * 3));
    await kill(child);
  }
  await until("what the last one held", async () => (await letters.count()) >= count);
  expect(await letters.list({ limit: 1_000 })).toEqual(before);
  expect(await letters.list({ limit: 1_000 })).toEqual(before);
  expect(await letters.count()).toBe(count);
});

test("D4 a redrive cut short leaves every event in one place or the other", { timeout: 60_000 }, async () => {
  const space = new Space();
  let failing = true;
  const handled = new Set<unknown>();
  const app = space.app({ retries: 0 });
  app.onEvent("x", { useCase: "uc" }, (n) => {
    if (failing) throw new Error("no");
    handled.add(n);
  });
  await app.start();
  const count = 400;
  await app.newEvents(Array.from({ length: count }, (_, n) => ({ name: "x", payload: n })));
  await until("all dead", async () => (await space.size("uc.dlq")) === count);
  failing = false;
  // A connection that ends in the middle, as a killed tool's does.
  const connection = await space.connect({ appName: "tool" });
  let redriven = 0;
  const redrive = connection.deadLetters("uc").redrive("all", (letter) => {
    redriven += 1;
    if (redriven === 150) void connection.close();
    const { name = "", id = "", time = 0, headers, body } = letter.event;
    return { name, id, time, headers: { ce_type: String(headers.ce_type), ce_id: String(headers.ce_id) }, body };
  });
  await expect(redrive).rejects.toThrow();
  await until("some handled", () => handled.size > 50);
  expect(await app.deadLetters("uc").redrive("all")).toBeGreaterThan(0);
  await until("all handled", () => handled.size === count);
});
