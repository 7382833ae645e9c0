import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { instrument } from "../support/instrument.ts";
import { until } from "../support/wait.ts";

test("H1, L6 what instruments amqplib sees each event acknowledged, whether it is handled, retried or given up", async () => {
  const space = new Space();
  const spans = instrument(await space.channel(), () => ({ traceparent: "00-1-2-01" }));
  const ofEvents = () => spans.filter(({ kind, queue }) => kind === "consumer" && queue === space.name("uc"));
  const slow = Promise.withResolvers<void>();
  let handled = 0;
  const app = space.app().onEvent("x.*", { useCase: "uc", retries: 1, retryDelay: 100 }, async (n, { attempt }) => {
    if (n === 0) await slow.promise;
    if (n === 1 || (n === 2 && attempt === 1)) throw new Error("no");
    handled += 1;
  });
  await app.start();
  await app.newEvents(Array.from({ length: 300 }, (_, n) => ({ name: "x.y", payload: n })));
  await until("those behind the slow one are handled", () => handled === 298);
  await until("one is given up", async () => (await space.size("uc.dlq")) === 1);
  slow.resolve();
  await until("all are handled", () => handled === 299);
  await app.stop();
  const deliveries = ofEvents();
  expect(deliveries).toHaveLength(302);
  expect(deliveries.filter(({ ended, error }) => ended !== 1 || error !== undefined)).toEqual([]);
  const published = spans.filter(({ kind, queue }) => kind === "producer" && queue === "x.y");
  expect(published.filter(({ ended, error }) => ended !== 1 || error !== undefined)).toEqual([]);
});

test("P1, H10 what instruments amqplib writes into the headers of one event comes with no other", async () => {
  const space = new Space();
  instrument(await space.channel(), (key) => ({
    traceparent: `00-${key}`,
    ...(key === "x.first" && { baggage: "user=7" }),
  }));
  const headers = new Map<string, Readonly<Record<string, unknown>>>();
  const app = space.app().onEvent("x.*", { useCase: "uc" }, (_, context) => {
    headers.set(context.eventName, context.headers);
  });
  await app.start();
  await app.newEvent("x.first", 1);
  await app.newEvent("x.second", 2);
  await until("both", () => headers.size === 2);
  expect(headers.get("x.first")).toMatchObject({ traceparent: "00-x.first", baggage: "user=7" });
  expect(headers.get("x.second")).toMatchObject({ traceparent: "00-x.second" });
  expect(headers.get("x.second")).not.toHaveProperty("baggage");
});
