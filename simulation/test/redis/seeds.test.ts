import { describe, expect, it } from "vitest";
import { search } from "../../src/seeds/pool.ts";

/** A seed takes ten times as long as one over the memory transport; for more there is `npm run simulate -- --broker redis`. */
const PORTION = 25;

describe("the transport for Redis over a simulated server keeps the contract", () => {
  it.each([1, 2])("with half %i of the first fifty seeds", { timeout: 180_000 }, async (half) => {
    const to = half * PORTION;
    const { seeds, failures } = await search({ broker: "redis", from: to - PORTION + 1, to, threads: 1 });
    expect(failures).toEqual([]);
    expect(seeds).toBe(PORTION);
  });
});
