import type { Delivery, Subscription } from "@papa-events/core/transport";
import { expect, onTestFinished, test, vi } from "vitest";
import { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L2 a consumer that leaves releases all that it has, a thousand in one script", async () => {
  const space = new Space({ lease: 60_000 });
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x")]);
  const events = Array.from({ length: 2_500 }, (_, n) => encoded("x", n));
  for (let from = 0; from < events.length; from += 500) await publisher.publish(events.slice(from, from + 500));
  const connection = await space.connect();
  let out = 0;
  const count = () => {
    out += 1;
  };
  await connection.subscribe("uc", { readAhead: events.length, declaration: "any" }, count);
  await until("all are out", () => out === events.length);
  const scripts = vi.spyOn(ReconnectingConnection.prototype, "run");
  onTestFinished(() => scripts.mockRestore());
  await connection.close();
  expect(Math.max(...scripts.mock.calls.map(([, , args]) => args.length))).toBeLessThan(1_100);
  expect(await publisher.inspect("uc")).toEqual({ ready: events.length, inFlight: 0, waiting: 0, dead: 0 });
  expect(await space.redis.zrange(space.key("leases:uc"), 0, "-1", "WITHSCORES")).toEqual(["released", "-1"]);
  const redeliveries: number[] = [];
  const next = await space.connect();
  const options = { readAhead: events.length, declaration: "any" };
  await next.subscribe("uc", options, (delivery) => void redeliveries.push(delivery.redeliveries));
  await until("all are out again", () => redeliveries.length === events.length);
  expect(Math.max(...redeliveries)).toBe(0);
});

test("R6 what is forwarded to a subscription that has stopped, and still has something out, is anybody's", async () => {
  const space = new Space({ lease: 30_000 });
  const [busy, other] = [await space.connect(), await space.connect()];
  await busy.declarations.declare([declared("uc", "new")]);
  const out: Delivery[] = [];
  const stopping = await busy.subscribe("uc", { readAhead: 1, declaration: "new" }, (delivery) => out.push(delivery));
  await busy.publish([encoded("new", 0)]);
  await until("it is busy", () => out.length === 1);
  const taken: string[] = [];
  let forwarded = false;
  await other.subscribe("uc", { readAhead: 1, declaration: "old" }, (delivery) => {
    if (forwarded) taken.push(String(delivery.event.text));
    else
      void delivery.settle({ kind: "forward", delay: 60_000, to: "new", event: encoded("new", 1) }).then(() => {
        forwarded = true;
      });
  });
  await busy.publish([encoded("new", 1)]);
  await until("it is forwarded", () => forwarded);
  await stopping.stop();
  await until("the other one gets it", () => taken.length === 1);
  expect(await out[0]?.settle({ kind: "done", outputs: [] })).toBe("stored");
  await until("the consumer has left", async () => (await space.redis.zcard(space.key("leases:uc"))) <= 2);
});

test("H1, R2 each event is handed out once, and none is forgotten, though the read-ahead changes within each hand-out", async () => {
  const space = new Space({ lease: 30_000 });
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  const out = new Map<string, number>();
  const deliveries: Delivery[] = [];
  let subscription: Subscription | undefined;
  const onDelivery = (delivery: Delivery) => {
    deliveries.push(delivery);
    const text = String(delivery.event.text);
    out.set(text, (out.get(text) ?? 0) + 1);
    // One turn reads more than there is room for, the next makes room for what was left over.
    subscription?.readAhead(deliveries.length % 3 === 0 ? 1 : deliveries.length + 2);
  };
  subscription = await connection.subscribe("uc", { readAhead: 50, declaration: "any" }, onDelivery);
  const events = Array.from({ length: 300 }, (_, n) => encoded("x", n));
  await connection.publish(events);
  await until("all are handed out", () => {
    for (const delivery of deliveries.splice(0)) void delivery.settle({ kind: "done", outputs: [] });
    subscription?.readAhead(50);
    return out.size === events.length;
  });
  expect([...out.values()].every((times) => times === 1)).toBe(true);
  await until("all are settled", async () => {
    for (const delivery of deliveries.splice(0)) void delivery.settle({ kind: "done", outputs: [] });
    const { ready, inFlight } = await connection.inspect("uc");
    return ready + inFlight === 0;
  });
});

test("L2 what is settled while a subscription stops is stored, whatever becomes of it", async () => {
  const space = new Space({ lease: 30_000 });
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  for (let round = 0; round < 15; round += 1) {
    const out: Delivery[] = [];
    const subscription = await connection.subscribe("uc", { readAhead: 8, declaration: "x" }, (each) => out.push(each));
    await connection.publish(Array.from({ length: 8 }, (_, n) => encoded("x", n)));
    await until("all are out", () => out.length === 8);
    const stopped = subscription.stop();
    const settled = out.map(async (delivery, n) => {
      // While the reader ends, while another consumer takes its place, and after that.
      for (let turn = 0; turn < n; turn += 1) await connection.administration?.paused();
      if (n % 2 === 0) return delivery.settle({ kind: "done", outputs: [] });
      return delivery.settle({ kind: "dead", id: `${round}-${n}`, event: encoded("x", n) });
    });
    expect(await Promise.all(settled)).toEqual(out.map(() => "stored"));
    await stopped;
  }
  await until("the server keeps nothing of it", async () => (await space.redis.zcard(space.key("leases:uc"))) <= 1);
  expect(await connection.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 60 });
});
