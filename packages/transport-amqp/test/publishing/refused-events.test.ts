import { expect, test } from "vitest";
import { hasAccounts, policy } from "../support/accounts.ts";
import { declaration, Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

test.runIf(hasAccounts)(
  "P1, R3 what a full queue refuses reaches the others no more than twice, and is stored when there is room",
  { timeout: 90_000 },
  async () => {
    const space = new Space();
    const other = await space.connect();
    await other.declarations.declare([declaration("a", "x")]);
    await policy(space, "^PREFIX/a$", { "max-length": 1, overflow: "reject-publish" });
    const handled: unknown[] = [];
    const app = space.app({ publishTimeout: 5_000 });
    app.onEvent("x", { useCase: "b" }, (n) => void handled.push(n));
    await app.start();
    // The limit of a quorum queue is not exact.
    let refused: Error | undefined;
    let last = 0;
    for (; refused === undefined; last += 1) {
      const published = app.newEvent("x", last).then(
        () => undefined,
        (error: Error) => error,
      );
      refused = await published;
      expect(last).toBeLessThan(50);
    }
    expect(refused.message).toContain(`the queue "${space.name("a")}" is full`);
    const times = handled.filter((n) => n === last - 1).length;
    expect(times).toBeGreaterThan(0);
    expect(times).toBeLessThanOrEqual(2);
    // Room comes while it waits.
    const waiting = app.newEvent("x", "waits");
    await until("it is handled by the other", () => handled.includes("waits"));
    const channel = await space.channel();
    await channel.purgeQueue(space.name("a"));
    await waiting;
    await until("it is stored", async () => (await space.size("a")) > 0);
    const message = await channel.get(space.name("a"));
    expect(message !== false && JSON.parse(message.content.toString())).toBe("waits");
    // Once more where the room came before it was known which queue had none.
    expect(handled.filter((n) => n === "waits").length).toBeLessThanOrEqual(3);
  },
);

test.runIf(hasAccounts)(
  "H8 a full queue holds up no event but those for it, published or returned by handlers",
  { timeout: 90_000 },
  async () => {
    const space = new Space();
    const other = await space.connect();
    await other.declarations.declare([declaration("a", "full.#")]);
    await policy(space, "^PREFIX/a$", { "max-length": 1, overflow: "reject-publish" });
    const handled: string[] = [];
    const app = space.app({ publishTimeout: 60_000, drainTimeout: 100, unwanted: "accept" });
    app.onEvent("healthy", { useCase: "b" }, (_, { id }) => void handled.push(id));
    let calls = 0;
    app.onEvent("in", { useCase: "c", concurrency: 20 }, (to) => {
      calls += 1;
      return String(to)
        .split(" ")
        .map((name) => ({ name, payload: 1 }));
    });
    await app.start();
    const published: Promise<unknown>[] = [];
    const isFull = () => app.health().reasons.some(({ subject }) => subject === "publishing");
    // The limit of a quorum queue is not exact.
    await until("it is full", () => {
      published.push(app.newEvent("full.x", 1).catch(() => {}));
      return isFull();
    });
    // Those for the full queue wait for the whole test, as more and more of them come.
    const times: number[] = [];
    for (let n = 0; n < 100; n += 1) {
      published.push(
        app
          .newEvents([
            { name: "full.y", payload: n },
            { name: "full.x", payload: n },
          ])
          .catch(() => {}),
      );
      const began = performance.now();
      await app.newEvent("healthy", n);
      times.push(performance.now() - began);
    }
    expect(times.sort((one, two) => one - two)[95]).toBeLessThan(3_000);
    await until("they are handled", () => handled.length === 100);
    // Of handlers that run beside each other, those with something for the full queue wait.
    const began = performance.now();
    const inputs = Array.from({ length: 12 }, (_, n) => ({ name: "in", payload: n % 2 === 0 ? "full.z" : "healthy" }));
    await app.newEvents([...inputs, { name: "in", payload: "healthy full.z" }]);
    await until("the others are through", () => handled.length === 107);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(
      app
        .health()
        .reasons.map(({ subject }) => subject)
        .sort(),
    ).toEqual(["publishing", 'settling "c"']);
    expect((await app.stats()).c).toMatchObject({ inFlight: 7, waiting: 0, dead: 0 });
    // What waits is stored once there is room.
    await policy(space, "^PREFIX/a$", { "max-length": 100_000, overflow: "reject-publish" });
    await Promise.all(published);
    await until("the handlers' too", async () => (await app.stats()).c?.inFlight === 0);
    // Each has succeeded, and none is called again for what could not be stored yet.
    expect(calls).toBe(13);
    // What was offered together with something for the full queue was not stored each time that this was offered.
    expect(handled).toHaveLength(107);
    expect(new Set(handled).size).toBe(107);
    const channel = await space.channel();
    const stored = new Set<unknown>();
    for (
      let message = await channel.get(space.name("a"));
      message !== false;
      message = await channel.get(space.name("a"))
    )
      stored.add(message.properties.messageId);
    // Two each of a hundred calls, one of each of the others.
    expect(stored.size).toBe(published.length + 100 + 7);
    expect(app.health()).toMatchObject({ healthy: true });
  },
);
