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
