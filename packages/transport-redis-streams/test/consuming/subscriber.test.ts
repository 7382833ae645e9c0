import { expect, test } from "vitest";
import { encoded } from "../support/events.ts";
import { declared, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("L2 a consumer that leaves releases all that it has, also where that is more than one script takes", async () => {
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
  await connection.close();
  expect(await publisher.inspect("uc")).toEqual({ ready: events.length, inFlight: 0, waiting: 0, dead: 0 });
  expect(await space.redis.zrange(space.key("leases:uc"), 0, "-1", "WITHSCORES")).toEqual(["released", "-1"]);
  const redeliveries: number[] = [];
  const next = await space.connect();
  const options = { readAhead: events.length, declaration: "any" };
  await next.subscribe("uc", options, (delivery) => void redeliveries.push(delivery.redeliveries));
  await until("all are out again", () => redeliveries.length === events.length);
  expect(Math.max(...redeliveries)).toBe(0);
});
