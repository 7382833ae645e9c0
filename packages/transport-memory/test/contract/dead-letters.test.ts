import { deadLetters, type PapaApp, useCase } from "@papa-events/core";
import { describe, expect, it } from "vitest";
import { World } from "../support.ts";

/** An app with so many dead letters of the use case "fails", and a switch to fix it. */
async function withDeadLetters(count: number) {
  const world = new World();
  const state = { broken: true, handled: [] as unknown[], others: 0 };
  const app = await world.start([
    useCase("fails", { on: "a", retries: 0 }, (payload, { id, attempt }) => {
      if (state.broken) throw new TypeError(`no ${payload}`);
      state.handled.push([payload, id, attempt]);
    }),
    useCase("other", { on: "#" }, () => void (state.others += 1)),
  ]);
  for (let index = 1; index <= count; index += 1) await app.newEvent("a", index, { id: `event-${index}` });
  await world.clock.settled();
  return { world, app, state, letters: app.deadLetters("fails") };
}

async function payloads(app: PapaApp, order: "newest" | "oldest", limit: number): Promise<unknown[][]> {
  const pages: unknown[][] = [];
  let after: string | undefined;
  do {
    const page = await app.deadLetters("fails").list({ order, limit, after });
    pages.push(page.items.map(({ payload }) => payload));
    after = page.next;
  } while (after !== undefined);
  return pages;
}

describe("dead letters", () => {
  it("D1 a dead letter keeps payload, headers, ids, reason, error, attempts and times", async () => {
    const world = new World();
    const app = await world.start([
      useCase("fails", { on: "user.*", retries: 1 }, () => {
        throw new RangeError("out of range", { cause: new Error("the cause") });
      }),
    ]);
    const first = world.clock.now();
    await app.newEvent("user.created", { name: "ñandú" }, { id: "x", headers: { tenant: "a" } });
    await world.clock.advance("10s");
    const { items } = await app.deadLetters("fails").list();
    expect(items).toMatchObject([
      {
        eventId: "x",
        useCase: "fails",
        eventName: "user.created",
        payload: { name: "ñandú" },
        headers: { tenant: "a", ce_type: "user.created", ce_id: "x" },
        reason: "retries-exhausted",
        error: { name: "RangeError", message: "out of range" },
        attempts: 2,
        firstFailedAt: new Date(first),
        lastFailedAt: new Date(first + 10_000),
      },
    ]);
    expect(Buffer.from(items[0]?.body ?? []).toString()).toBe('{"name":"ñandú"}');
    expect(items[0]?.error.stack).toMatch(/RangeError: out of range\n {4}at [\s\S]*caused by: Error: the cause/);
  });

  it("D1 a stack is cut to 8 KiB and a message to 4 KiB, never inside a character", async () => {
    const world = new World();
    const app = await world.start([
      useCase("fails", { on: "a", retries: 0 }, () => {
        const error = new Error("ñ".repeat(10_000));
        error.stack = "☕".repeat(10_000);
        throw error;
      }),
    ]);
    await app.newEvent("a", {}, { headers: { large: "x".repeat(32_000) } });
    await world.clock.settled();
    const { items } = await app.deadLetters("fails").list();
    const error = items[0]?.error;
    expect(error?.message).toBe("ñ".repeat(2_048));
    expect(error?.stack).toBe("☕".repeat(Math.floor(8_192 / 3)));
    expect(items[0]?.headers.large).toHaveLength(32_000);
  });

  it("D1 a dead letter never expires", async () => {
    const { world, letters } = await withDeadLetters(1);
    await world.clock.advance(2_000_000_000);
    expect(await letters.count()).toBe(1);
  });

  it("D2 they are counted, and listed by page, newest or oldest first", async () => {
    const { app, letters } = await withDeadLetters(7);
    expect(await letters.count()).toBe(7);
    expect(await payloads(app, "newest", 3)).toEqual([[7, 6, 5], [4, 3, 2], [1]]);
    expect(await payloads(app, "oldest", 3)).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect(await payloads(app, "oldest", 7)).toEqual([[1, 2, 3, 4, 5, 6, 7]]);
  });

  it("D2 a page goes on where it was when letters have gone meanwhile", async () => {
    const { letters } = await withDeadLetters(6);
    const first = await letters.list({ limit: 2 });
    await letters.purge(first.items.map(({ id }) => id));
    const second = await letters.list({ limit: 2, after: first.next });
    expect(second.items.map(({ payload }) => payload)).toEqual([4, 3]);
  });

  it("D2 one is shown by its id; an unknown id gives undefined and counts 0", async () => {
    const { letters } = await withDeadLetters(2);
    const { items } = await letters.list();
    expect(await letters.get(items[1]?.id ?? "")).toEqual(items[1]);
    expect(await letters.get("gone")).toBeUndefined();
    expect(await letters.redrive(["gone"])).toBe(0);
    expect(await letters.purge(["gone"])).toBe(0);
    expect(await letters.count()).toBe(2);
  });

  it("D2 one, some and all are purged", async () => {
    const { letters } = await withDeadLetters(6);
    const ids = (await letters.list({ order: "oldest" })).items.map(({ id }) => id);
    expect(await letters.purge(ids.slice(0, 1))).toBe(1);
    expect(await letters.purge([...ids.slice(0, 3), "gone"])).toBe(2);
    expect((await letters.list({ order: "oldest" })).items.map(({ payload }) => payload)).toEqual([4, 5, 6]);
    expect(await letters.purge("all")).toBe(3);
    expect(await letters.purge("all")).toBe(0);
  });

  it("D2 all of it works without an app running", async () => {
    const { world, app } = await withDeadLetters(3);
    await app.stop();
    await using letters = deadLetters(world.transport, "fails");
    expect(await letters.count()).toBe(3);
    expect((await letters.list()).items).toHaveLength(3);
    expect(await letters.redrive("all")).toBe(3);
    expect(await letters.count()).toBe(0);
  });

  it("D3 a hundred listings change nothing", async () => {
    const { app, letters } = await withDeadLetters(3);
    const before = await letters.list();
    const stats = await app.stats();
    for (let time = 0; time < 100; time += 1) {
      await letters.list({ limit: 2, order: "oldest" });
      await letters.get(before.items[0]?.id ?? "");
      await letters.count();
    }
    expect(await letters.list()).toEqual(before);
    expect(await app.stats()).toEqual(stats);
  });

  it("D4 redriving brings the event back to the failing use case only, attempt 1, same event id", async () => {
    const { world, state, letters } = await withDeadLetters(3);
    state.broken = false;
    const { items } = await letters.list({ order: "oldest" });
    expect(state.others).toBe(3);
    expect(await letters.redrive([items[1]?.id ?? ""])).toBe(1);
    await world.clock.settled();
    expect(state.handled).toEqual([[2, "event-2", 1]]);
    expect(await letters.redrive("all")).toBe(2);
    await world.clock.settled();
    expect(state.handled).toEqual([
      [2, "event-2", 1],
      [1, "event-1", 1],
      [3, "event-3", 1],
    ]);
    expect(state.others).toBe(3);
    expect(await letters.count()).toBe(0);
  });

  it("D4 what fails again after a redrive starts its record anew", async () => {
    const { world, letters } = await withDeadLetters(1);
    await world.clock.advance("1h");
    await letters.redrive("all");
    await world.clock.settled();
    const { items } = await letters.list();
    expect(items).toMatchObject([{ eventId: "event-1", attempts: 1, headers: { papa_redriven: "1" } }]);
    expect(items[0]?.firstFailedAt).toEqual(new Date(world.clock.now()));
  });

  it.each([
    [{ limit: 0 }, "limit"],
    [{ limit: 1_001 }, "limit"],
    [{ order: "random" as "newest" }, "order"],
    [{ after: "not a place" }, "after"],
    [{ before: "x" } as object, "before"],
  ])("list refuses %j", async (options, words) => {
    const { letters } = await withDeadLetters(1);
    const error: unknown = await letters.list(options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "invalid-option" });
    expect((error as Error).message).toContain(words);
  });

  it("a use case that the broker does not know is told, and so is a bad list of ids", async () => {
    const { app, world, letters } = await withDeadLetters(1);
    await expect(app.deadLetters("tpyo").count()).rejects.toMatchObject({
      code: "unknown-use-case",
      details: { useCase: "tpyo" },
    });
    await expect(deadLetters(world.transport, "tpyo").list()).rejects.toMatchObject({ code: "unknown-use-case" });
    expect(() => app.deadLetters("not a name")).toThrow(expect.objectContaining({ code: "invalid-use-case" }));
    await expect(letters.purge("everything" as "all")).rejects.toMatchObject({ code: "invalid-option" });
  });
});
