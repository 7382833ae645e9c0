import { expect, it } from "vitest";
import { QUICK_START_LINES } from "./quick-start-lines.ts";
import { runExample } from "./run-example.ts";
import { OTHER_RUNTIMES } from "./runtimes.ts";

it.each(OTHER_RUNTIMES)("the quick start says the same on %s", async (_, runtime) => {
  const { out, err, code } = await runExample("quick-start.ts", { runtime });
  expect({ err, code }).toEqual({ err: "", code: 0 });
  expect(out.trimEnd().split("\n")).toEqual(QUICK_START_LINES);
});
