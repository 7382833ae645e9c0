import type { Connection, Delivery, EncodedEvent, StoredDeadLetter } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { declare, event, publish, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** Makes dead letters of a use case, with ids that count up. */
async function bury(connection: Connection, useCase: string, bodies: readonly unknown[]): Promise<string[]> {
  await declare(connection, useCase, ["dead"]);
  const deliveries: Delivery[] = [];
  const subscription = await connection.subscribe(useCase, subscribing(bodies.length), (each) => deliveries.push(each));
  await publish(
    connection,
    bodies.map(() => event("dead")),
  );
  await until("all are delivered", () => deliveries.length === bodies.length);
  const ids = bodies.map((_, index) => `letter-${String(index).padStart(5, "0")}`);
  await Promise.all(
    deliveries.map((delivery, index) =>
      delivery.settle({ kind: "dead", id: ids[index] ?? "", event: event("dead", bodies[index]) }),
    ),
  );
  await subscription.stop();
  return ids;
}

const revived = ({ event: { headers, body } }: StoredDeadLetter): EncodedEvent => ({
  ...event("dead"),
  body,
  headers: headers as Record<string, string>,
});

test("D6 a scan goes through all that were there when it began, either way, and a page is bounded in bytes", async () => {
  const space = new Space();
  const connection = await space.connect();
  const bodies = Array.from({ length: 300 }, (_, index) => (index >= 280 ? "x".repeat(1_000_000) : index));
  const ids = await bury(connection, "scanned", bodies);
  const operator = await space.connect({}, { operator: true });
  const letters = operator.deadLetters("scanned");
  for (const order of ["oldest", "newest"] as const) {
    const seen: string[] = [];
    for await (const { id } of letters.scan(order)) {
      seen.push(id);
      if (seen.length === 10 && order === "oldest") expect(await letters.purge([ids[200] ?? ""])).toBe(1);
    }
    expect(new Set(seen).size).toBe(seen.length);
    const there = ids.filter((id) => id !== ids[200]);
    expect(seen.filter((id) => id !== ids[200])).toEqual(order === "oldest" ? there : there.reverse());
  }
  const aborting = new AbortController();
  let seen = 0;
  for await (const _ of letters.scan("newest", aborting.signal)) if ((seen += 1) === 5) aborting.abort();
  expect(seen).toBe(5);
  const paged: string[] = [];
  const lengths: number[] = [];
  for (let after: string | undefined; lengths.length === 0 || after !== undefined; ) {
    const page = await letters.list({ limit: 100, order: "newest", after });
    paged.push(...page.items.map(({ id }) => id));
    lengths.push(page.items.length);
    after = page.next;
  }
  expect(lengths).toEqual([16, 100, 100, 83]);
  expect(paged).toEqual(ids.filter((id) => id !== ids[200]).reverse());
  await expect(letters.list({ limit: 1, order: "newest", after: "x" })).rejects.toMatchObject({
    code: "invalid-option",
  });
});

test("D6 what a test picks is redriven or purged as a whole, told of as it goes on, and interrupted in between", async () => {
  const space = new Space();
  const connection = await space.connect();
  const ids = await bury(
    connection,
    "picked",
    Array.from({ length: 1_700 }, (_, index) => index),
  );
  const letters = connection.deadLetters("picked");
  const numberOf = ({ event: { body } }: StoredDeadLetter) => Number(body.toString());
  const told: { seen: number; done: number }[] = [];
  const onProgress = (progress: { seen: number; done: number }) => void told.push(progress);
  expect(await letters.purge((letter) => numberOf(letter) % 10 === 0, { onProgress })).toBe(170);
  expect(told.at(-1)).toEqual({ seen: 1_700, done: 170 });
  const aborting = new AbortController();
  const some = await letters.redrive((letter) => numberOf(letter) % 2 === 1, revived, {
    signal: aborting.signal,
    onProgress: () => aborting.abort(),
  });
  expect(some).toBeGreaterThan(0);
  expect(some).toBeLessThan(850);
  // Called again, it does the rest.
  expect(await letters.redrive((letter) => numberOf(letter) % 2 === 1, revived)).toBe(850 - some);
  expect(await letters.count()).toBe(680);
  const bodies = new Set<string>();
  await connection.subscribe("picked", subscribing(2_000), (delivery) => {
    bodies.add(delivery.event.body.toString());
    // Those that fail again are not taken by the call that put them back.
    void delivery.settle({ kind: "dead", id: `again-${delivery.event.body}`, event: event("dead", "again") });
  });
  await until("all are delivered", () => bodies.size === 850);
  expect(await letters.redrive("all", (letter) => event("dead", `mended ${letter.id}`))).toBeGreaterThanOrEqual(680);
  expect(await letters.redrive([ids[2] ?? ""], revived)).toBe(0);
  await until(
    "all are delivered again",
    () => [...bodies].filter((body) => body.includes("mended letter")).length === 680,
  );
});
