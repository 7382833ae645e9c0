import { useCase } from "@papa-events/core";
import { expect, it } from "vitest";
import { oracle, sequences } from "../../../core/test/routing/oracle.ts";
import { World } from "../support.ts";

it("R4 R2 of 10,200 pairs of pattern and name each is delivered as the definition says, once or not at all", async () => {
  const world = new World();
  const patterns = sequences(["a", "b", "*", "#"], 4);
  const names = sequences(["a", "b"], 4);
  const delivered: string[] = [];
  const app = await world.start(
    patterns.map((on, index) =>
      useCase(`pattern_${index}`, { on }, (_, { eventName }) => void delivered.push(`${on} ${eventName}`)),
    ),
  );
  await app.newEvents(names.map((name) => ({ name, payload: null })));
  await world.clock.settled();
  const wanted = patterns.flatMap((pattern) =>
    names.filter((name) => oracle(pattern, name)).map((name) => `${pattern} ${name}`),
  );
  expect(patterns.length * names.length).toBe(10_200);
  expect(delivered.sort()).toEqual(wanted.sort());
});
