import { memory } from "@papa-events/transport-memory";
import { describe, expect, it, vi } from "vitest";
import { withDeadLetters } from "../support/broker.ts";
import { papa } from "../support/papa.ts";

/** What a shell is offered for the line so far. */
async function offered(words: readonly string[], transport = memory()): Promise<string[]> {
  const print = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await papa(["complete", "--", ...words], { transport });
    return print.mock.calls.map(([line]) => `${line}`.split("\t")[0] ?? "").filter((word) => !word.startsWith(":"));
  } finally {
    print.mockRestore();
  }
}

describe("a shell is offered", () => {
  it("commands, options and their values", async () => {
    expect(await offered([""])).toEqual(expect.arrayContaining(["use-cases", "dlq", "completion"]));
    expect(await offered(["dlq", "re"])).toEqual(["redrive"]);
    expect(await offered(["dlq", "list", "a", "--js"])).toEqual(["--json"]);
    expect(await offered(["dlq", "list", "a", "--reason", "re"])).toEqual(["retries-exhausted", "rejected"]);
  });

  it("names of use cases, where one is wanted", async () => {
    const transport = await withDeadLetters([]);
    expect(await offered(["pause", ""], transport)).toEqual(["send_welcome"]);
    expect(await offered(["dlq", "list", "bill"], transport)).toEqual([]);
  });

  it("nothing, without a word, where the broker is away", async () => {
    const transport = await withDeadLetters([]);
    transport.disconnect();
    expect(await offered(["pause", ""], transport)).toEqual([]);
  });
});

it.each(["bash", "zsh", "fish", "powershell"])("completion prints a script for %s", async (shell) => {
  const print = vi.spyOn(console, "log").mockImplementation(() => {});
  const { code } = await papa(["completion", shell]);
  const script = print.mock.calls.join("\n");
  print.mockRestore();
  expect(code).toBe(0);
  expect(script.length).toBeGreaterThan(1_000);
  expect(script).toMatch(/\bpapa\b.*\bcomplete\b/s);
});
