import { describe, expect, it } from "vitest";
import { plantedFaults } from "../src/planted/faults.ts";
import { search } from "../src/seeds/pool.ts";

/** So many seeds have to be enough for each fault; most show within the first few. */
const SEEDS = 2_000;

describe("a planted fault is found", () => {
  const all = process.env.PLANTED_FAULTS === "all";
  it.each(plantedFaults.filter(({ rare }) => all || rare !== true))("$name", async (fault) => {
    const { failures } = await search({ broker: fault.broker, from: 1, to: SEEDS, threads: 1, fault });
    expect(fault.rules).toContain(failures[0]?.rule);
  });

  it("and a text that is no longer there is an error, not a fault that nobody finds", async () => {
    const gone = {
      name: "gone",
      rules: ["H1"],
      file: "packages/core/src/index.ts",
      find: "nowhere to be found",
      replace: "",
    };
    await expect(search({ from: 1, to: 1, threads: 1, fault: gone })).rejects.toThrow('"gone" cannot be planted');
  });
});
