import { expect, test } from "vitest";
import { ReturnLimit } from "../../src/dead-letters/return-limit.ts";
import { hasAccounts, policy } from "../support/accounts.ts";
import { declaration, quiet, Space } from "../support/broker.ts";
import { json } from "../support/original.ts";

/** More than find out what the limit is. */
const COUNT = 130;
/** More than the limit, and than the limit after copies have been made. */
const LOOKS = 6;

async function withLetters(space: Space) {
  const warnings: unknown[] = [];
  const logger = { ...quiet, warn: (...all: unknown[]) => void warnings.push(all) };
  const connection = await space.connect({ logger });
  await connection.declarations.declare([declaration("uc", "x")]);
  const channel = await space.channel();
  for (let n = 0; n < COUNT; n += 1) {
    const id = n.toString().padStart(8, "0");
    const headers = { ce_type: "x", ce_id: id, papa_reason: "rejected", papa_order: `1-${id}` };
    channel.publish("", space.name("uc.dlq"), json(n), { headers, persistent: true, correlationId: id });
  }
  await channel.waitForConfirms();
  const isCounted = !/^(?:4\.[3-9]|[5-9])/.test(String(channel.connection.serverProperties.version));
  const letters = connection.deadLetters("uc");
  const look = async () => (await letters.list({ limit: 1_000, order: "oldest" })).items.map(({ id }) => id);
  return { letters, look, warnings, isCounted };
}

test.runIf(hasAccounts)(
  "D3 a delivery-limit below the default destroys no dead letter, of many or of few, and is warned of",
  { timeout: 120_000 },
  async () => {
    const space = new Space();
    await policy(space, "^PREFIX/uc\\.dlq$", { "delivery-limit": 1 });
    const { letters, look, warnings, isCounted } = await withLetters(space);
    const before = await look();
    expect(before).toHaveLength(COUNT);
    for (let looks = 0; looks < LOOKS; looks += 1) expect(await look()).toEqual(before);
    // RabbitMQ 4.3 does not count what was returned on purpose.
    expect(JSON.stringify(warnings)).toEqual(isCounted ? expect.stringContaining("delivery-limit") : "[]");
    const few = before.slice(0, 5);
    expect(await letters.purge(before.slice(5))).toBe(COUNT - 5);
    for (const id of few) expect(await letters.get(id)).toBeDefined();
    for (let looks = 0; looks < LOOKS; looks += 1) expect(await look()).toEqual(few);
    expect(await letters.count()).toBe(5);
  },
);

test.runIf(hasAccounts)(
  "D3 nor does one that is set when they have been looked at more often than it allows",
  { timeout: 120_000 },
  async () => {
    const space = new Space();
    const { letters, look } = await withLetters(space);
    const before = await look();
    // Ends behind a part of them, so that these have been returned more often than those before them.
    for (let looks = 0; looks < 3; looks += 1) expect(await letters.get(before[100] ?? "")).toBeDefined();
    for (let looks = 0; looks < 2; looks += 1) expect(await look()).toEqual(before);
    await policy(space, "^PREFIX/uc\\.dlq$", { "delivery-limit": 2 });
    for (let looks = 0; looks < LOOKS; looks += 1) expect(await look()).toEqual(before);
    expect(await letters.count()).toBe(COUNT);
  },
);

test("D2 no look has all dead letters to renew, however many looks there are", () => {
  const returns = new Map(Array.from({ length: 800 }, (_, n) => [`letter-${n.toString(16).padStart(4, "0")}`, 0]));
  const renewed: number[] = [];
  for (let look = 0; look < 60; look += 1) {
    // The broker takes returns of any number here.
    const limit = new ReturnLimit();
    limit.tested(20, true);
    let count = 0;
    for (const [id, before] of returns) {
      const verdict = limit.verdict(id, before, 0);
      if (verdict === "renew") count += 1;
      returns.set(id, verdict === "renew" ? 0 : before + 1);
      expect(before).toBeLessThan(14);
    }
    renewed.push(count);
  }
  expect(renewed.reduce((sum, count) => sum + count)).toBeGreaterThan(0);
  expect(Math.max(...renewed)).toBeLessThan(800 / 2);
});
