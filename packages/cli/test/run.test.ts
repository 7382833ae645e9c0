import { PapaError } from "@papa-events/core";
import { memory } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { Output } from "../src/output/output.ts";
import { createProgram } from "../src/program.ts";
import { withDeadLetters } from "./support/broker.ts";
import { documents, papa } from "./support/papa.ts";

describe("the exit code is", () => {
  it("0 when it is done", async () => {
    expect(await papa(["use-cases"], { transport: memory() })).toMatchObject({ code: 0 });
  });

  it.each([
    ["an unknown use case", ["pause", "nobody"]],
    ["an unknown dead letter", ["dlq", "show", "send_welcome", "gone"]],
    ["a search without a find", ["dlq", "list", "send_welcome", "--text", "nothing"]],
  ])("1 for %s", async (_what, args) => {
    expect(await papa(args, { transport: await withDeadLetters([1]) })).toMatchObject({ code: 1 });
  });

  it.each([
    ["no command", []],
    ["an unknown command", ["statistics"]],
    ["an unknown option", ["stats", "--wath"]],
    ["a missing argument", ["pause"]],
    ["too many arguments", ["pause", "a", "b"]],
    ["an unknown reason", ["dlq", "list", "a", "--reason", "bored"]],
    ["a limit that is no number", ["dlq", "list", "a", "--limit", "many"]],
    ["a pattern that is none", ["tail", "a, b"]],
    ["a name that no use case has", ["stats", "a b"]],
    ["an unknown scheme", ["stats", "--broker", "nats://host"]],
    ["a directory where a file is wanted", ["dlq", "redrive", "send_welcome", "--from", "/"]],
    ["a directory where a payload is wanted", ["publish", "user.created", "@/"]],
    ["no broker", ["stats"]],
  ])("2 for %s", async (_what, args) => {
    const { code, stdout, stderr } = await papa(
      args,
      _what === "no broker" || args.includes("--broker") ? {} : { transport: memory() },
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    if (args.length > 0) expect(stderr).toMatch(/^papa: .+\n$/);
  });

  it("3 when the broker is not reached", async () => {
    const transport = memory();
    transport.disconnect();
    const { code, stderr } = await papa(["stats"], { transport });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^papa: .+ Is the broker up.+\n$/);
  });

  it("1 when the output cannot be written", async () => {
    const { code, stderr } = await papa(["use-cases", "--json"], { transport: memory(), failing: "ENOSPC" });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("ENOSPC") });
  });

  it.each([
    [["use-cases", "--json"]],
    [["dlq", "list", "send_welcome", "--json"]],
    [["dlq", "export", "send_welcome"]],
  ])("0 when whoever reads the output of %j has read enough", async (args) => {
    expect(await papa(args, { transport: await withDeadLetters([1, 2, 3]), failing: "EPIPE" })).toMatchObject({
      code: 0,
      stderr: "",
    });
  });

  it("130 when it is ended by Ctrl-C, also while it reads, counts or searches", async () => {
    const slow = { name: "slow", connect: () => new Promise<never>(() => {}) };
    expect(await papa(["stats"], { transport: slow, signal: AbortSignal.timeout(20) })).toMatchObject({ code: 130 });
    const transport = await withDeadLetters([1]);
    const reading = await papa(["publish", "--many"], { transport, typed: "", signal: AbortSignal.timeout(20) });
    expect(reading).toEqual({ code: 130, stdout: "", stderr: "papa: Nothing was sent.\n" });
    for (const [args, said] of [
      [["dlq", "purge", "send_welcome", "--text", "route", "--dry-run"], "Nothing was done."],
      [["dlq", "list", "send_welcome", "--text", "route"], "Interrupted."],
      [["dlq", "summary"], "Interrupted."],
    ] as const)
      expect(await papa(args, { transport, signal: AbortSignal.abort() })).toEqual({
        code: 130,
        stdout: "",
        stderr: `papa: ${said}\n`,
      });
  });
});

describe("an error", () => {
  it("is one JSON document on standard error with --json, also of wrong use", async () => {
    const transport = memory();
    const unknown = await papa(["pause", "nobody", "--json"], { transport });
    const wrong = await papa(["stats", "--wath", "--json"], { transport });
    const none = await papa(["dlq", "--json"], { transport });
    expect(documents(unknown.stderr)).toEqual([{ error: { code: "unknown-use-case", message: expect.any(String) } }]);
    expect(documents(wrong.stderr)).toEqual([
      { error: { code: "wrong-use", message: expect.stringContaining("--watch") } },
    ]);
    expect(documents(none.stderr)).toEqual([
      { error: { code: "wrong-use", message: expect.stringContaining("A command is needed.") } },
    ]);
    expect(unknown.stdout + wrong.stdout + none.stdout).toBe("");
  });

  it("of a use case that is not named says where its name is found", async () => {
    expect(await papa(["dlq", "list"], { transport: memory() })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("papa use-cases"),
    });
  });

  it("shows its stack and its cause with --verbose", async () => {
    const cause = new Error("the socket closed");
    const transport = { name: "broken", connect: () => Promise.reject(new Error("no luck", { cause })) };
    expect((await papa(["stats"], { transport })).stderr.split("\n")).toHaveLength(2);
    const { stderr } = await papa(["stats", "--verbose"], { transport });
    expect(stderr).toContain("run.test.ts");
    expect(stderr).toContain("Caused by: Error: the socket closed");
  });

  it("shows control characters and hides the URL's secrets", async () => {
    const url = "redis://user:very-secret@host";
    const transport = { name: "broken", connect: () => Promise.reject(new Error(`\u001b[2J of\n${url}: very-secret`)) };
    for (const json of [[], ["--json"]]) {
      const { stderr } = await papa(["stats", "--verbose", "--broker", url, ...json], { transport });
      expect(stderr).not.toContain("very-secret");
      expect(stderr).not.toContain("\u001b");
      expect(stderr).toMatch(/\\x1b|\\u001b/);
    }
    for (const args of [["redis://user:very/secret@host"], ["stats", "--brokr=REDIS://user:very/secret@host"]])
      expect((await papa(args)).stderr).toMatch(/^(?!.*very\/secret).*\*\*\*@host/);
  });

  it("of a package that is not installed says what to install", async () => {
    const details = { scheme: "redis", package: "@papa-events/transport-redis-streams" };
    const error = new PapaError("transport-not-installed", "a long story", details);
    const transport = { name: "absent", connect: () => Promise.reject(error) };
    const { code, stderr } = await papa(["stats"], { transport });
    expect(code).toBe(2);
    expect(stderr).toContain("npm install @papa-events/transport-redis-streams");
  });
});

describe("help", () => {
  const out = new Output(process.stdout);
  const program = createProgram({ out, err: out, open: async () => {}, json: false });
  const leaves = program.commands
    .flatMap((command) => (command.commands.length === 0 ? [command] : [command, ...command.commands]))
    .filter((command) => command.name() !== "complete")
    .map((command) => (command.parent === program ? [command.name()] : [`${command.parent?.name()}`, command.name()]));

  it.each(leaves.map((path) => [path.join(" "), path] as const))(
    "of %s has an example and fits",
    async (_name, path) => {
      const { code, stdout } = await papa([...path, "--help"]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Examples?:\n {2}\$ papa/);
      expect(stdout).toContain("--broker <url>");
      expect(stdout.split("\n").filter((line) => line.length > 110)).toEqual([]);
    },
  );

  it("of all lists every command", async () => {
    const { code, stdout } = await papa(["--help"]);
    expect(code).toBe(0);
    for (const [name] of leaves) expect(stdout).toContain(`\n  ${name}`);
  });

  it("is a command, too", async () => {
    expect(await papa(["help"])).toEqual(await papa(["--help"]));
    expect(await papa(["help", "dlq"])).toEqual(await papa(["dlq", "--help"]));
    expect(await papa(["help", "dql"])).toMatchObject({ code: 2, stdout: "" });
  });

  it("is no error, and --version neither", async () => {
    expect(await papa(["--version"])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe("colours", () => {
  it("are for terminals, and for those who have not said no", async () => {
    const transport = await withDeadLetters([1]);
    const stdout = async (terminal: boolean, env: Record<string, string> = {}) =>
      (await papa(["use-cases"], { transport, terminal, env })).stdout;
    expect(await stdout(true)).toContain("\u001b[");
    expect(await stdout(true, { NO_COLOR: "1" })).not.toContain("\u001b[");
    expect(await stdout(true, { TERM: "dumb" })).not.toContain("\u001b[");
    expect(await stdout(false)).not.toContain("\u001b[");
  });
});
