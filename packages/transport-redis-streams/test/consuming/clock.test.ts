import type { Delivery } from "@papa-events/core/transport";
import { expect, test, vi } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** The clock that the scripts read is the server's, and what a key of the namespace adds to it. */
vi.mock("../../src/scripts/fragments/clock.ts", () => ({
  NOW: `
local function now()
  local time = redis.call('TIME')
  local offset = redis.call('GET', string.match(KEYS[1], '{.-}') .. ':test-offset')
  return time[1] * 1000 + time[2] / 1000 + tonumber(offset or 0)
end
`,
}));

const TEN_MINUTES = 600_000;
const LEASE = 1_000;

async function jump(space: Space, by: number): Promise<void> {
  await space.redis.incrby(space.key("test-offset"), by);
}

async function subscribe(space: Space, address?: string) {
  const connection = await space.connect(address === undefined ? {} : { address });
  await connection.declarations.declare([declared("uc", "x")]);
  const deliveries: Delivery[] = [];
  const options = { readAhead: 5, declaration: "any" };
  await connection.subscribe("uc", options, (delivery) => void deliveries.push(delivery));
  return { connection, deliveries };
}

test("L9 after the clock was set back, what a dead process held is taken over when its lease has ended", async () => {
  const space = new Space({ lease: LEASE });
  const proxy = await space.proxy();
  const dead = await subscribe(space, proxy.uri);
  await dead.connection.publish([encoded("x", 1)]);
  await until("it is out", () => dead.deliveries.length === 1);
  const other = await subscribe(space);
  await jump(space, -TEN_MINUTES);
  proxy.refuse();
  const began = performance.now();
  await until("it is taken over", () => other.deliveries.length === 1);
  expect(performance.now() - began).toBeLessThan(LEASE + 10_000);
});

test("L9 a jump of the clock either way takes nothing from processes that live", async () => {
  const space = new Space({ lease: LEASE });
  const both = [await subscribe(space), await subscribe(space)] as const;
  const count = () => both[0].deliveries.length + both[1].deliveries.length;
  await both[0].connection.publish([1, 2, 3, 4, 5, 6].map((n) => encoded("x", n)));
  await until("all are out", () => count() === 6);
  for (const by of [TEN_MINUTES, -TEN_MINUTES, -TEN_MINUTES, TEN_MINUTES]) {
    await jump(space, by);
    const began = performance.now();
    await until("two leases have passed", () => performance.now() - began > 2 * LEASE);
  }
  expect(count()).toBe(6);
  for (const { deliveries } of both) {
    expect(deliveries.filter(({ lost }) => lost)).toEqual([]);
    for (const delivery of deliveries) expect(await delivery.settle({ kind: "done", outputs: [] })).toBe("stored");
  }
});

test("L9 a retry is never early by the server's clock, and not late by more than the clock was set back", async () => {
  const space = new Space({ lease: LEASE });
  const { connection, deliveries } = await subscribe(space);
  await connection.publish([encoded("x", 1), encoded("x", 2)]);
  await until("both are out", () => deliveries.length === 2);
  const began = performance.now();
  await deliveries[0]?.settle({ kind: "retry", delay: 1_500, event: encoded("x", "soon") });
  await jump(space, -2_000);
  await until("it is back", () => deliveries.length === 3);
  expect(performance.now() - began).toBeGreaterThanOrEqual(3_500);
  expect(performance.now() - began).toBeLessThan(3_500 + 1_500);
  await deliveries[1]?.settle({ kind: "retry", delay: TEN_MINUTES, event: encoded("x", "later") });
  await jump(space, TEN_MINUTES);
  await until("the clock says that it is due", () => deliveries.length === 4);
});

test("L9 a jump forward by the grace withdraws nothing that a live instance declares", async () => {
  const space = new Space({ lease: LEASE });
  const { connection } = await subscribe(space);
  const other = await space.connect({ appName: "other" });
  await other.declarations.declare([declared("uc", "y")]);
  await jump(space, TEN_MINUTES);
  await connection.declarations.declare([declared("uc", "x")]);
  const idle = (await connection.declarations.list("uc")).map((record) => record.idle);
  expect(Math.max(...idle)).toBeLessThan(10_000);
  await connection.declarations.withdraw("uc", ["y"], TEN_MINUTES);
  expect(await space.redis.hexists(space.key("bindings"), "uc y")).toBe(1);
  // Time that passes while an instance lives counts.
  await connection.declarations.withdraw("uc", ["y"], 1);
  expect(await space.redis.hexists(space.key("bindings"), "uc y")).toBe(0);
});
