import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runExample } from "../run-example.ts";

const programs = readdirSync(fileURLToPath(new URL("../../src/guide", import.meta.url)));

it.concurrent.each(programs)("%s, of which the guide shows parts, does what it asserts", async (program) => {
  const { err, code } = await runExample(`guide/${program}`);
  expect({ err, code }).toEqual({ err: "", code: 0 });
});
