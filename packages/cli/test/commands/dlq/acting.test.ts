import { describe, expect, it } from "vitest";
import { interruptible, running, withDeadLetters } from "../../support/broker.ts";
import { documents, papa } from "../../support/papa.ts";

type Transport = Awaited<ReturnType<typeof withDeadLetters>>;

async function ids(transport: Transport): Promise<string[]> {
  const { stdout } = await papa(["dlq", "export", "send_welcome"], { transport });
  return documents(stdout).map((item) => (item as { id: string }).id);
}

describe.each([
  ["redrive", "redriven"],
  ["purge", "purged"],
])("dlq %s", (verb, past) => {
  const act = (transport: Transport, ...args: string[]) =>
    papa(["dlq", verb, "send_welcome", ...args, "--yes", "--json"], { transport });

  it("of ids, of what a search finds, and of all says how many", async () => {
    const transport = await withDeadLetters([1, 2, 3, 4, 5]);
    await withDeadLetters([6], { transport, event: "user.deleted" });
    const [first = "", second = ""] = await ids(transport);
    expect(await act(transport, first, second)).toEqual({ code: 0, stdout: `{"${past}":2}\n`, stderr: "" });
    expect(documents((await act(transport, "--event", "user.deleted")).stdout)).toEqual([{ [past]: 1 }]);
    expect(documents((await act(transport, "--all")).stdout)).toEqual([{ [past]: 3 }]);
    expect(await act(transport, "--all")).toEqual({ code: 0, stdout: `{"${past}":0}\n`, stderr: "" });
  });

  it("without ids, filters or --all is wrong use, and so are two of them", async () => {
    const transport = await withDeadLetters([1]);
    for (const args of [[], ["--all", "--text", "route"], ["id", "--all"], ["id", "--text", "route"]])
      expect(await act(transport, ...args)).toMatchObject({ code: 2, stdout: "" });
    expect(await ids(transport)).toHaveLength(1);
  });

  it("ends with 1 where nothing is found", async () => {
    const transport = await withDeadLetters([1]);
    expect(await act(transport, "--text", "nothing")).toMatchObject({ code: 1, stdout: "" });
    expect(await act(transport, "gone")).toMatchObject({ code: 1, stdout: "" });
    expect(await papa(["dlq", verb, "nobody", "--all", "--yes"], { transport })).toMatchObject({ code: 1, stdout: "" });
  });

  it("tells which ids are gone, and does the others", async () => {
    const transport = await withDeadLetters([1]);
    const [first = ""] = await ids(transport);
    const { code, stdout, stderr } = await papa(["dlq", verb, "send_welcome", first, "gone", "--yes"], { transport });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `1 dead letter of send_welcome ${past}.\n` });
    expect(stderr).toMatch(verb === "redrive" ? /^gone is gone: / : /^1 id of 2 were gone: /);
    const dry = await papa(["dlq", verb, "send_welcome", "gone", "--dry-run"], { transport });
    expect(dry).toMatchObject({ code: 1, stderr: expect.stringMatching(/^gone is gone: /) });
  });

  it("--dry-run says how many, and does nothing", async () => {
    const transport = await withDeadLetters([1, 2, 3]);
    const [first = ""] = await ids(transport);
    for (const [args, found] of [
      [["--all"], 3],
      [["--text", "no route"], 3],
      [[first], 1],
    ] as const)
      expect(documents((await act(transport, ...args, "--dry-run")).stdout)).toEqual([{ [past]: 0, found }]);
    expect(await act(transport, "--text", "nothing", "--dry-run")).toMatchObject({ code: 1 });
    expect(await ids(transport)).toHaveLength(3);
  });

  it("asks in a terminal, with how many it is about", async () => {
    const transport = await withDeadLetters([1, 2]);
    const asked = (typed: string, ...args: string[]) =>
      papa(["dlq", verb, "send_welcome", ...args], { transport, terminal: true, typed, env: { NO_COLOR: "1" } });
    const no = await asked("n", "--text", "route");
    expect(no.code).toBe(1);
    expect(no.stderr).toContain("2 dead letters of send_welcome?");
    expect((await asked("\u0003", "--all")).code).toBe(130);
    expect(await ids(transport)).toHaveLength(2);
    expect((await asked("y", "--all")).code).toBe(0);
    expect(await ids(transport)).toHaveLength(0);
  });

  it("ended by Ctrl-C says how far it came, and the same command does the rest", async () => {
    const transport = await withDeadLetters(Array.from({ length: 300 }, (_, n) => n));
    const ending = new AbortController();
    const { code, stdout, stderr } = await papa(["dlq", verb, "send_welcome", "--all", "--yes"], {
      transport: interruptible(transport, () => ending.abort()),
      signal: ending.signal,
    });
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    const [, done] = new RegExp(`^Interrupted: (\\d+) dead letters of send_welcome were ${past}; `).exec(stderr) ?? [];
    const left = await count(transport);
    expect(left).toBeGreaterThan(0);
    expect(Number(done) + left).toBe(300);
    expect(documents((await act(transport, "--all")).stdout)).toEqual([{ [past]: left }]);
  });
});

async function count(transport: Transport): Promise<number> {
  const { stdout } = await papa(["stats", "send_welcome", "--json"], { transport });
  return (JSON.parse(stdout) as { stats: Record<string, { dead: number }> }).stats.send_welcome?.dead ?? 0;
}

it("dlq purge without a terminal wants --yes, dlq redrive destroys nothing and does not", async () => {
  const transport = await withDeadLetters([1]);
  const refused = await papa(["dlq", "purge", "send_welcome", "--all"], { transport });
  expect(refused).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("--yes") });
  const payloads: unknown[] = [];
  await running(transport, "send_welcome", "user.#", (payload) => void payloads.push(payload));
  expect(await papa(["dlq", "redrive", "send_welcome", "--all"], { transport })).toMatchObject({ code: 0 });
  await transport.settled();
  expect(payloads).toEqual([1]);
});

it("a failure midway says how many had been redriven", async () => {
  const transport = await withDeadLetters(Array.from({ length: 300 }, (_, n) => n));
  const { code, stderr } = await papa(["dlq", "redrive", "send_welcome", "--all"], {
    transport: interruptible(transport, () => transport.disconnect()),
  });
  transport.reconnect();
  expect(code).toBe(3);
  const [, done] = / (\d+) dead letters had been redriven; the same command does the rest\./.exec(stderr) ?? [];
  expect(Number(done) + (await count(transport))).toBe(300);
});
