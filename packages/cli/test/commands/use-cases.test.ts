import { memory } from "@papa-events/transport-memory";
import { expect, it } from "vitest";
import { withDeadLetters } from "../support/broker.ts";
import { papa } from "../support/papa.ts";

const time = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);

it("use-cases as JSON is one document", async () => {
  const transport = await withDeadLetters([1, 2]);
  const { stdout, stderr } = await papa(["use-cases", "--json"], { transport });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    useCases: [
      {
        name: "send_welcome",
        patterns: ["user.#"],
        apps: [{ name: "mailer", lastSeen: time }],
        lastSeen: time,
        paused: false,
        stats: { ready: 0, inFlight: 0, waiting: 0, dead: 2 },
      },
    ],
  });
});

it("use-cases is a table for people, and lines for programs", async () => {
  const transport = await withDeadLetters([1]);
  const piped = await papa(["use-cases"], { transport });
  expect(piped.stdout).toMatch(/^send_welcome\t-\t0\t0\t0\t1\t\d{4}-\S+Z\tmailer\tuser\.#\n$/);
  const shown = await papa(["use-cases"], { transport, terminal: true, env: { NO_COLOR: "1" } });
  expect(shown.stdout).toMatch(/^USE CASE +PAUSED +READY +IN FLIGHT +WAITING +DEAD +LAST SEEN +APPS +PATTERNS\n/);
});

it("use-cases of an empty namespace says so and is done", async () => {
  const transport = memory();
  expect(await papa(["use-cases"], { transport })).toMatchObject({
    code: 0,
    stdout: "",
    stderr: expect.stringContaining("no use cases"),
  });
  expect(await papa(["use-cases", "--json"], { transport })).toMatchObject({ code: 0, stdout: '{"useCases":[]}\n' });
});
