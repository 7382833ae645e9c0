import { RetryAfter } from "@papa-events/core";
import type { Settlement } from "@papa-events/core/transport";
import { AssignerProtocol } from "kafkajs";
import { expect, onTestFinished, test, vi } from "vitest";
import { DELAY_PARTITIONS } from "../../src/wire/delay-record.ts";
import { withAdmin } from "../support/admin.ts";
import { brokerUri, declare, event, publish, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

test.each([3_600_000, -3_600_000])("T2 a clock that is %i ms wrong makes no retry early or late", async (wrong) => {
  const space = new Space();
  const now = Date.now;
  const spy = vi.spyOn(Date, "now").mockImplementation(() => now() + wrong);
  onTestFinished(() => spy.mockRestore());
  const times: number[] = [];
  const app = space.app({ retries: 1, retryDelay: 700 });
  app.onEvent("timed", { useCase: "timed" }, (_, { attempt }) => {
    times.push(performance.now());
    if (attempt === 1) throw new Error("once");
  });
  await app.start();
  await app.newEvent("timed", {});
  await until("it has come twice", () => times.length === 2);
  const waited = (times[1] ?? 0) - (times[0] ?? 0);
  expect(waited).toBeGreaterThanOrEqual(700);
  expect(waited).toBeLessThan(1_700);
});

test("T3 two thousand retries of mixed delays come back in time, and none early", async () => {
  const space = new Space();
  const delays = [200, 400, 800, 1_600, 2_400];
  const failedAt = new Map<string, number>();
  const late: number[] = [];
  const app = space.app({ concurrency: 100 });
  app.onEvent("many", { useCase: "many" }, (payload, { id, attempt }) => {
    const delay = delays[Number(payload) % delays.length] ?? 0;
    if (attempt === 1) {
      failedAt.set(id, performance.now());
      throw new RetryAfter(delay);
    }
    late.push(performance.now() - (failedAt.get(id) ?? 0) - delay);
  });
  await app.start();
  await app.newEvents(Array.from({ length: 2_000 }, (_, payload) => ({ name: "many", payload })));
  await until("all are back", () => late.length >= 2_000, 40_000);
  expect(late.length).toBe(2_000);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
});

test("T2 a retry that was due while no app ran comes at once, not after another whole delay", async () => {
  const space = new Space();
  const first = space.app({ retries: 1, retryDelay: 1_500 });
  const attempts: number[] = [];
  first.onEvent("late", { useCase: "late" }, (_, { attempt }) => {
    attempts.push(attempt);
    throw new Error("once");
  });
  await first.start();
  await first.newEvent("late", {});
  await until("it waits", async () => (await first.stats()).late?.waiting === 1);
  await first.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_600));
  const next = space.app({ retries: 1, retryDelay: 60_000 });
  next.onEvent("late", { useCase: "late" }, (_, { attempt }) => void attempts.push(attempt));
  await next.start();
  const started = performance.now();
  await until("it is handled", () => attempts.length === 2);
  expect(performance.now() - started).toBeLessThan(1_400);
  expect(attempts).toEqual([1, 2]);
});

test("T3 a partition with one event that waits 60 s for its retry delivers the others at full speed", async () => {
  const space = new Space();
  const others = 2_000;
  /** Far less than the minute that they would take if they waited behind the retry. */
  const limit = 20_000;
  const handled = new Set<unknown>();
  const failed: number[] = [];
  const app = space.app({ transport: space.transport({ partitions: 1 }) });
  app.onEvent("mixed.*", { useCase: "mixed" }, (payload, { attempt }) => {
    if (payload === "patient") {
      failed.push(attempt);
      throw new RetryAfter(60_000);
    }
    handled.add(payload);
  });
  await app.start();
  const inTime = async (what: string, from: number) => {
    const payloads = Array.from({ length: others }, (_, number) => from + number);
    const begun = performance.now();
    await app.newEvents(payloads.map((payload) => ({ name: "mixed.quick", payload })));
    await until(what, () => handled.size === from + others, limit);
    return performance.now() - begun;
  };
  const alone = await inTime("those before are handled", 0);
  await app.newEvent("mixed.slow", "patient");
  await until("one waits", async () => (await app.stats()).mixed?.waiting === 1);
  const beside = await inTime("those behind are handled", others);
  // Bursts differ on a busy machine, but not by so much.
  expect(beside).toBeLessThan(alone * 5 + 2_000);
  expect(failed).toEqual([1]);
  // Commits go past the waiting one, so that a restart delivers none of the others again.
  await until("it alone is left", async () => {
    const { mixed } = await app.stats();
    return mixed !== undefined && mixed.ready + mixed.inFlight === 0 && mixed.waiting === 1;
  });
});

test("H9 waiting events that are too many to be held are read again when they are due", async () => {
  const space = new Space();
  const connection = await space.connect({}, { maxHeldBytes: 400_000 });
  await declare(connection, "many", ["many"]);
  const begun = performance.now();
  const seen = new Map<string, { at: number; body: string }[]>();
  await connection.subscribe("many", subscribing(50), (delivery) => {
    const body = Buffer.from(delivery.event.body).toString();
    const list = seen.get(body.slice(0, 10)) ?? [];
    seen.set(body.slice(0, 10), [...list, { at: performance.now(), body }]);
    const settlement: Settlement =
      list.length === 0
        ? { kind: "retry", delay: 1_500, event: { ...event("many"), body: delivery.event.body } }
        : { kind: "done", outputs: [] };
    void delivery.settle(settlement);
  });
  const count = 40;
  await connection.publish(
    Array.from({ length: count }, (_, number) => event("many", `${String(number).padStart(8)}${"x".repeat(50_000)}`)),
  );
  await until("all have come twice", () => [...seen.values()].filter((list) => list.length === 2).length === count);
  for (const [first, second] of seen.values()) {
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_500);
    expect(second?.body).toBe(first?.body);
  }
  expect(performance.now() - begun).toBeLessThan(8_000);
});

test("T2 retries of mixed delays come back once over another app's start and a clean stop, however many are scattered", async () => {
  const space = new Space();
  const count = 5_000;
  const times = new Map<number, number>();
  const start = async () => {
    const connection = await space.connect();
    await declare(connection, "scattered", ["work"]);
    await connection.subscribe("scattered", subscribing(1_000), (delivery) => {
      const { number } = JSON.parse(delivery.event.body.toString()) as { number: number };
      if (delivery.attempt === 1) {
        const again = event("work", { number });
        const delay = 3_000 + Math.random() * 4_000;
        void delivery.settle({
          kind: "retry",
          delay,
          event: { ...again, headers: { ...again.headers, papa_attempt: "2" } },
        });
        return;
      }
      times.set(number, (times.get(number) ?? 0) + 1);
      void delivery.settle({ kind: "done", outputs: [] });
    });
    return connection;
  };
  const first = await start();
  for (let from = 0; from < count; from += 500)
    await publish(
      first,
      Array.from({ length: 500 }, (_, index) => event("work", { number: from + index })),
    );
  await until("a part is back", () => times.size > count / 4);
  // It takes over a part of what waits.
  const bystander = await space.connect();
  await declare(bystander, "bystander", ["other"]);
  await bystander.subscribe("bystander", subscribing(10), () => {});
  await until("more are back", () => times.size > count / 2);
  await first.close();
  expect(times.size).toBeLessThan(count);
  await start();
  await until("all are back", () => times.size === count, 40_000);
  expect([...times.values()].filter((each) => each > 1)).toEqual([]);
});

test("T2 partitions of the delay topic that were unknown when the releasing apps shared them out are read", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "reader", ["#"]);
  await connection.subscribe("reader", subscribing(1), () => {});
  const topic = `${space.prefix}--delays`;
  await withAdmin(brokerUri(), async (admin) => {
    const read = async () => {
      const { groups } = await admin.describeGroups([`${space.prefix}--releaser`]);
      const members = groups.flatMap((group) => group.members);
      const assignments = members.map(({ memberAssignment }) =>
        AssignerProtocol.MemberAssignment.decode(memberAssignment),
      );
      return assignments.flatMap((each) => each?.assignment[topic] ?? []).length;
    };
    await until("all are read", async () => (await read()) === DELAY_PARTITIONS);
    await admin.createPartitions({ topicPartitions: [{ topic, count: DELAY_PARTITIONS + 1 }] });
    await until("one more is read", async () => (await read()) === DELAY_PARTITIONS + 1);
  });
});
