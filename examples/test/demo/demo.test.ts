import { describe, expect, it } from "vitest";
import { runExample } from "../run-example.ts";

const DEMO = "demo/main.ts";

describe.concurrent("npm run demo", () => {
  it("replays all 329 deliveries, agrees with the files, and redrives a dead letter", async () => {
    const { out, err, code } = await runExample(DEMO);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out).toContain("All counts match");
    // Retries and dead letters are what it shows, not what it warns of.
    expect(out).not.toMatch(/failed;|became a dead letter/);
    expect(rowOf(out, "count_contributors")).toEqual(["329", "325", "0", "4"]);
    expect(rowOf(out, "page_security")).toEqual(["13", "0", "13", "13"]);
    expect(out).toContain("sender: Invalid input");
    expect(out).toMatch(/reason {4}retries-exhausted, after 3 attempts/);
    expect(out).toMatch(/handled {2}with the same event id/);
    expect(out).toMatch(/left {5}12 dead letters/);
    expect(out).toMatch(/count_contributors +0 +0 +4 {2}github\.#/);
    expect(out).toMatch(/mended {3}4 events/);
    expect(out).toMatch(/left {5}0 dead letters of count_contributors/);
  });

  it("prints plain lines of at most 80 columns where nobody watches a terminal", async () => {
    const { out } = await runExample(DEMO, { args: ["--speed", "max"] });
    expect(out).not.toContain("\x1b");
    expect(out).toMatch(/published 329\/329, handled [\d,]+, retried \d+, dead \d+\n/);
    expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("replays each delivery --repeat times, and expects as much more", async () => {
    const { out, code } = await runExample(DEMO, { args: ["--speed", "max", "--repeat", "5"] });
    expect(code).toBe(0);
    expect(rowOf(out, "count_contributors")).toEqual(["1,645", "1,625", "0", "20"]);
  });

  it("takes any transport's URL, in a namespace of its own, and says in a line why it cannot have it", async () => {
    const { out, err, code } = await runExample(DEMO, { args: ["--broker", "kafka://u:secret@a:9092,b:9092"] });
    expect(out).toMatch(/on kafka:\/\/a:9092,b:9092 \(prefix demo-[0-9a-f]{8}\)/);
    expect(out + err).not.toContain("secret");
    expect(err).toMatch(/^(transport-not-installed|connection-failed): .+\n$/);
    expect(code).toBeGreaterThan(0);
  });

  it.each([
    [["--fast"], "Unknown option '--fast'; --help lists the options."],
    [["now"], "Unexpected argument 'now'; --help lists the options."],
    [["--speed"], "Option '--speed <value>' argument missing; --help lists the options."],
    [["--speed", "0"], '--speed 0: events per second are needed, such as 150, or "max".'],
    [["--repeat", "1.5"], "--repeat 1.5: a whole number of 1 or more is needed."],
    [["--clean"], "--clean needs --broker with the ?prefix= of the run whose traces are to go."],
    [["--broker", "localhost"], expect.stringMatching(/^unknown-scheme: The transport URL has no scheme; there are /)],
  ])("refuses %j in one line", async (args, line) => {
    const { out, err, code } = await runExample(DEMO, { args });
    expect({ out, code, lines: err.trimEnd().split("\n") }).toEqual({ out: "", code: 2, lines: [line] });
  });

  it("stops cleanly at Ctrl-C", async () => {
    const { err, code, signal } = await runExample(DEMO, {
      onOutput: (out, kill) => {
        if (out.includes("published")) kill("SIGINT");
      },
    });
    expect({ code, signal }).toEqual({ code: 130, signal: null });
    expect(err).toContain("stopped cleanly");
  });

  it("prints its options", async () => {
    const { out, code } = await runExample(DEMO, { args: ["--help"] });
    expect(code).toBe(0);
    for (const option of ["--broker", "--speed", "--repeat", "--clean"]) expect(out).toContain(option);
  });
});

/** What the summary says of a use case: delivered, handled, retried, dead. */
function rowOf(out: string, useCase: string): string[] | undefined {
  const row = out.split("\n").find((line) => line.trim().startsWith(useCase) && line.endsWith("agree"));
  return row?.trim().split(/\s+/).slice(1, 5);
}
