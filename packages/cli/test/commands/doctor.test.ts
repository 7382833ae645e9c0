import { memory } from "@papa-events/transport-memory";
import { expect, it } from "vitest";
import { withDeadLetters } from "../support/broker.ts";
import { papa } from "../support/papa.ts";

it("doctor ends with 1 where something is wrong, and says what, why and what to do", async () => {
  const transport = await withDeadLetters([1]);
  const json = await papa(["doctor", "--json"], { transport });
  expect(json.code).toBe(1);
  const { findings } = JSON.parse(json.stdout) as { findings: Record<string, string>[] };
  for (const finding of findings) expect(Object.keys(finding).sort()).toEqual(["remedy", "severity", "what", "why"]);
  expect(findings.map(({ severity }) => severity)).toContain("warning");
  const piped = await papa(["doctor"], { transport });
  expect(piped.stdout).toMatch(
    /^warning\t.*"send_welcome" has 1 dead letters\..*\t.*\t.*papa dlq summary send_welcome\n/,
  );
  const shown = await papa(["doctor"], { transport, terminal: true, env: { NO_COLOR: "1" } });
  expect(shown.stdout).toMatch(/^warning {2}.*\n {2}.*\n {2}-> .*\n/);
});

it("doctor ends with 0 where there is only information", async () => {
  expect(await papa(["doctor"], { transport: memory() })).toMatchObject({ code: 0 });
});
