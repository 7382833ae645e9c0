import { RetryAfter } from "@papa-events/core";
import { afterEach, expect, test, vi } from "vitest";
import { quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** Which text a batch of the delay topic holds that is damaged at the broker, if any. */
const damaged = vi.hoisted(() => ({ text: undefined as string | undefined }));

/** Damages what is fetched, whose batches begin their buffers; what has been passed on has the delay topic in its id. */
vi.mock("../../src/wire/crc32c.ts", async (original) => {
  const { crc32c } = await original<typeof import("../../src/wire/crc32c.ts")>();
  return {
    crc32c: (bytes: Buffer, from: number, to: number) => {
      const sum = crc32c(bytes, from, to);
      const { text } = damaged;
      const hit = from === 21 && text !== undefined && bytes.includes(text) && !bytes.includes("--delays-");
      return hit ? (sum ^ 1) >>> 0 : sum;
    },
  };
});

afterEach(() => {
  damaged.text = undefined;
});

/** The bytes of all dead letters of a use case. */
async function bytesOfLetters(app: ReturnType<Space["app"]>, useCase: string): Promise<string[]> {
  const { items } = await app.deadLetters(useCase).list({ limit: 100 });
  for (const { reason } of items) expect(reason).toBe("unknown-event");
  return items.map(({ body }) => Buffer.from(body).toString("latin1"));
}

/** It used to count as released: nobody was told. */
test("D5 what is damaged in the delay topic becomes a dead letter of each use case, since it may be any one's", async () => {
  const space = new Space();
  const error = vi.fn();
  const app = space.app({ logger: { ...quiet, error } });
  app.onEvent("bystander", { useCase: "bystander" }, () => {});
  const attempts: string[] = [];
  app.onEvent("retried", { useCase: "retries" }, (payload, { attempt }) => {
    attempts.push(`${payload} ${attempt}`);
    if (payload === "it is damaged") damaged.text = payload;
    if (attempt === 1) throw new RetryAfter(300);
  });
  await app.start();
  await app.newEvent("retried", "it is damaged");
  await until("it has a letter everywhere", async () => {
    const counts = ["retries", "bystander"].map((useCase) => app.deadLetters(useCase).count());
    return (await Promise.all(counts)).every((count) => count === 1);
  });
  await app.newEvent("retried", "it is whole");
  await until("the other comes back", () => attempts.includes("it is whole 2"));
  expect(attempts).toEqual(["it is damaged 1", "it is whole 1", "it is whole 2"]);
  damaged.text = undefined;
  for (const useCase of ["retries", "bystander"])
    expect((await bytesOfLetters(app, useCase))[0]).toContain("it is damaged");
  const [about] = error.mock.calls.find(([{ useCases }]) => useCases !== undefined) ?? [];
  expect(about).toMatchObject({ topic: `${space.prefix}--delays`, problem: "its checksum is wrong" });
});

test("D5 what is damaged when it is read again is a dead letter of the use cases that it was for, others come back", async () => {
  const space = new Space();
  const app = space.app({ maxHeldBytes: 400_000, concurrency: 1 });
  app.onEvent("bystander", { useCase: "bystander" }, () => {});
  const back = new Set<unknown>();
  app.onEvent("large", { useCase: "retries" }, (payload, { attempt }) => {
    if (attempt === 1) throw new RetryAfter(6_000);
    back.add(payload);
  });
  await app.start();
  const payloads = Array.from({ length: 30 }, (_, number) => `no-${number}-${"x".repeat(30_000)}`);
  await app.newEvents(payloads.map((payload) => ({ name: "large", payload })));
  await until("all wait", async () => (await app.stats()).retries?.waiting === payloads.length);
  damaged.text = "no-29-x";
  const letters = app.deadLetters("retries");
  await until("all are back or dead", async () => back.size + (await letters.count()) >= payloads.length, 40_000);
  damaged.text = undefined;
  const bytes = await bytesOfLetters(app, "retries");
  const missing = payloads.filter((payload) => !back.has(payload));
  expect(missing).toContain(payloads[29]);
  for (const payload of missing) expect(bytes.some((each) => each.includes(payload))).toBe(true);
  expect(await app.deadLetters("bystander").count()).toBe(0);
});
