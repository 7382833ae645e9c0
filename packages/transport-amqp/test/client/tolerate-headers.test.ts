import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { publishNested } from "../support/raw-publish.ts";
import { until } from "../support/wait.ts";

test("H8, L5 headers nested so deeply that the client cannot decode them cost no connection, and the event is handled", async () => {
  const space = new Space();
  const got: unknown[] = [];
  const outages: unknown[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    error: () => {},
    warn: (...all: unknown[]) => void outages.push(all),
  };
  const app = space.app({ logger, retries: 1, retryDelay: 100 });
  app.onEvent("x", { useCase: "uc" }, (payload, { attempt }) => {
    got.push([payload, attempt]);
    if (payload === 2) throw new Error("no");
  });
  await app.start();
  for (const [payload, depth] of [
    [1, 9_000],
    [2, 9_000],
    [3, 100],
  ] as const)
    await publishNested(space.name("domain_events"), "x", String(payload), depth);
  await until("all are handled", () => got.length === 4);
  await until("one is dead", async () => (await app.deadLetters("uc").count()) === 1);
  expect(got).toEqual(
    expect.arrayContaining([
      [1, 1],
      [2, 1],
      [2, 2],
      [3, 1],
    ]),
  );
  const [letter] = (await app.deadLetters("uc").list()).items;
  expect(letter).toMatchObject({ payload: 2, headers: { papa_dropped_headers: "all" } });
  expect(JSON.stringify(outages)).not.toContain("connection");
});
