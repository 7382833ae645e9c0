import { describe, expect, it } from "vitest";
import { HeldEvents, tailEvents } from "../../src/operator/tail.ts";

const event = (n: number, size = 1) => ({ name: `n.${n}`, headers: {}, body: Buffer.alloc(size, "1") });

describe("what a tail holds for its reader", () => {
  it("comes in its order, and then the reader waits", async () => {
    const held = new HeldEvents();
    held.add(event(1));
    held.add(event(2));
    expect([(await held.next())?.name, (await held.next())?.name]).toEqual(["n.1", "n.2"]);
    const next = held.next();
    held.add(event(3));
    expect(await next).toMatchObject({ name: "n.3", payload: 1, dropped: 0 });
  });

  it("is bounded in events; the next one says how many were dropped", async () => {
    const held = new HeldEvents();
    for (let n = 0; n < 1_010; n += 1) held.add(event(n));
    held.dropped(5);
    expect(await held.next()).toMatchObject({ name: "n.0", dropped: 0 });
    held.add(event(2_000));
    let last = await held.next();
    for (let n = 2; n < 1_001; n += 1) last = await held.next();
    expect(last).toMatchObject({ name: "n.2000", dropped: 15 });
  });

  it("is bounded in bytes, but for one event that is larger", async () => {
    const held = new HeldEvents();
    held.add(event(1, 20_000_000));
    held.add(event(2));
    expect((await held.next())?.name).toBe("n.1");
    held.add(event(3));
    expect(await held.next()).toMatchObject({ name: "n.3", dropped: 1 });
  });

  it("is read before its end, also before an error", async () => {
    const held = new HeldEvents();
    held.add(event(1));
    held.end(new Error("cut"));
    held.add(event(2));
    expect((await held.next())?.name).toBe("n.1");
    await expect(held.next()).rejects.toThrow("cut");
    const quiet = new HeldEvents();
    quiet.end();
    expect(await quiet.next()).toBeUndefined();
  });
});

describe("a tail", () => {
  const tailed = (held: HeldEvents, signal?: AbortSignal) => {
    const log: string[] = [];
    const begin = async () => {
      log.push("begin");
      return { stop: async () => void log.push("stop") };
    };
    return { log, events: tailEvents(begin, held, { signal, onStart: () => void log.push("started") }) };
  };

  it("begins when it is read, and is stopped when its reader returns", async () => {
    const held = new HeldEvents();
    const { log, events } = tailed(held);
    expect(log).toEqual([]);
    held.add(event(1));
    for await (const { name } of events) {
      expect(name).toBe("n.1");
      break;
    }
    expect(log).toEqual(["begin", "started", "stop"]);
  });

  it("is stopped by its signal, and does not begin when that was aborted before", async () => {
    const stop = new AbortController();
    const held = new HeldEvents();
    const { log, events } = tailed(held, stop.signal);
    const next = events.next();
    stop.abort();
    expect(await next).toMatchObject({ done: true });
    expect(log).toEqual(["begin", "started", "stop"]);
    const late = tailed(new HeldEvents(), stop.signal);
    expect(await late.events.next()).toMatchObject({ done: true });
    expect(late.log).toEqual([]);
  });
});
