import type { Delivery } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

async function instance(space: Space, ...patterns: string[]) {
  const connection = await space.connect();
  const declaration = declared("uc", ...patterns);
  await connection.declarations.declare([declaration]);
  const deliveries: Delivery[] = [];
  const options = { readAhead: 40, declaration: declaration.id };
  await connection.subscribe("uc", options, (delivery) => deliveries.push(delivery));
  return { connection, deliveries, declaration };
}

test("R6 what is forwarded to a declaration goes to its instances only, soon, with nothing counted", async () => {
  const space = new Space();
  const others = await Promise.all(Array.from({ length: 5 }, () => instance(space, "a")));
  const accepting = await instance(space, "b");
  const count = 300;
  await accepting.connection.publish(Array.from({ length: count }, (_, n) => encoded("b", n)));
  const began = performance.now();
  const forwarded = new Set<Delivery>();
  const accepted = new Set<Delivery>();
  await until(
    "all are accepted",
    async () => {
      for (const { deliveries } of others) {
        for (const delivery of deliveries.splice(0)) {
          forwarded.add(delivery);
          const event = encoded("b", "not this one: the entry itself is handed over");
          void delivery.settle({ kind: "forward", delay: 60_000, event, to: accepting.declaration.id });
        }
      }
      for (const delivery of accepting.deliveries.splice(0)) {
        accepted.add(delivery);
        void delivery.settle({ kind: "done", outputs: [] });
      }
      return accepted.size === count;
    },
    3_000,
  );
  expect(performance.now() - began).toBeLessThan(3_000);
  // Each was forwarded once at most.
  expect(forwarded.size).toBeGreaterThan(0);
  expect(forwarded.size).toBeLessThan(count);
  expect([...accepted].every(({ attempt, redeliveries }) => attempt === 1 && redeliveries === 0)).toBe(true);
  expect(new Set([...accepted].map(({ event }) => event.body.toString())).size).toBe(count);
  await until("all is settled", async () => (await accepting.connection.inspect("uc")).inFlight === 0);
  expect(await accepting.connection.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
});

test("R6 what is forwarded to a declaration that no instance has waits and goes to anyone", async () => {
  const space = new Space();
  const { connection, deliveries } = await instance(space, "a");
  await connection.publish([encoded("a", 1)]);
  await until("it is out", () => deliveries.length === 1);
  const event = encoded("a", 1, { papa_forwarded: "1" });
  expect(await deliveries[0]?.settle({ kind: "forward", delay: 300, event, to: "gone" })).toBe("stored");
  expect((await connection.inspect("uc")).waiting).toBe(1);
  await until("it comes back", () => deliveries.length === 2);
  expect(deliveries[1]?.event.headers.papa_forwarded).toBe("1");
});

test("R6 what was forwarded to instances that have gone since is not stranded", async () => {
  const space = new Space({ lease: 500 });
  const proxy = await space.proxy();
  const { connection, deliveries } = await instance(space, "a");
  const going = await space.connect({ address: proxy.uri });
  await going.subscribe("uc", { readAhead: 40, declaration: "b" }, () => {});
  proxy.refuse();
  await connection.publish([encoded("a", 1)]);
  await until("it is out", () => deliveries.length === 1);
  await deliveries[0]?.settle({ kind: "forward", delay: 60_000, event: encoded("a", 1), to: "b" });
  expect(await connection.inspect("uc")).toEqual({ ready: 1, inFlight: 0, waiting: 0, dead: 0 });
  await until("it comes back", () => deliveries.length === 2);
  expect(deliveries[1]?.redeliveries).toBe(0);
});
