import { virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { declarationOf } from "../../src/declarations/declaration-id.ts";
import { DeclarationKeeper } from "../../src/declarations/declaration-keeper.ts";
import type { ConnectOptions, Declaration, DeclarationRecord } from "../../src/transport.ts";
import { FakeTransport, silent, turns } from "../support.ts";

const MINUTE = 60_000;
const GRACE = 10 * MINUTE;

const own = declarationOf({ name: "log", patterns: ["new.*"] });

interface Options {
  readonly list?: (useCase?: string) => readonly DeclarationRecord[] | undefined;
  readonly declarations?: readonly Declaration[];
  readonly complete?: boolean;
}

/** The keeper of an app called "here", on a broker where the test says what is declared. */
async function keeping({ list = () => [], declarations = [own], complete = true }: Options = {}) {
  const transport = new FakeTransport();
  transport.capabilities = { ...transport.capabilities, declarationsComplete: complete };
  const clock = virtualClock({ start: 0 });
  const asked: (string | undefined)[] = [];
  const declared: (readonly Declaration[])[] = [];
  const withdrawn: unknown[] = [];
  const warnings: [message: string, about: object][] = [];
  const problems: (string | undefined)[] = [];
  const connection = await transport.connect({} as ConnectOptions);
  const state = { refuses: false, paused: 0 };
  const keeper = new DeclarationKeeper({
    connection: {
      ...connection,
      declarations: {
        declare: async (given) => {
          declared.push(given);
          if (state.refuses) throw new Error("cut");
        },
        list: (async (useCase?: string) => {
          asked.push(useCase);
          return list(useCase);
        }) as typeof connection.declarations.list,
        withdraw: async (...args) => void withdrawn.push(args),
      },
    },
    clock: {
      now: () => clock.now(),
      elapsed: () => clock.elapsed() + state.paused,
      after: (...args) => clock.after(...args),
    },
    logger: { ...silent, warn: (about, message = "") => void warnings.push([message, about]) },
    appName: "here",
    declarations,
    grace: GRACE,
    onProblem: (problem) => void problems.push(problem),
  });
  await keeper.start();
  await turns();
  return { keeper, clock, asked, declared, withdrawn, warnings, problems, state };
}

const record = (patterns: readonly string[], more: Partial<DeclarationRecord> = {}): DeclarationRecord => ({
  useCase: "log",
  patterns,
  idle: 0,
  ...more,
});

describe("R6 keeping declarations", () => {
  it("start() declares all of them by one call, and fails where the broker refuses", async () => {
    const declarations = [own, declarationOf({ name: "mail", patterns: ["a", "b"] })];
    const { declared } = await keeping({ declarations });
    expect(declared).toEqual([declarations]);
    const failing = new FakeTransport();
    failing.onDeclare = () => {
      throw new Error("refused");
    };
    const keeper = new DeclarationKeeper({
      connection: await failing.connect({} as ConnectOptions),
      clock: virtualClock(),
      logger: silent,
      appName: "here",
      declarations,
      grace: GRACE,
      onProblem: () => {},
    });
    await expect(keeper.start()).rejects.toThrow("refused");
  });

  it("repeats them ten times within the grace, and no more after stop()", async () => {
    const { keeper, clock, declared } = await keeping();
    await clock.advance(GRACE);
    expect(declared).toHaveLength(11);
    keeper.stop();
    await clock.advance(GRACE);
    expect(declared).toHaveLength(11);
  });

  it("goes on when the broker refuses once: logged, and a problem until it has succeeded again", async () => {
    const { clock, declared, warnings, problems, state } = await keeping();
    state.refuses = true;
    await clock.advance(MINUTE);
    expect(problems).toEqual(["the declarations could not be refreshed: cut"]);
    state.refuses = false;
    await clock.advance(2 * MINUTE);
    expect(declared).toHaveLength(4);
    expect(problems).toEqual(["the declarations could not be refreshed: cut", undefined, undefined]);
    expect(warnings).toEqual([
      ["The declarations could not be refreshed; it is tried again.", { err: new Error("cut") }],
    ]);
  });

  it("goes on when what is declared cannot be read", async () => {
    let times = 0;
    const { clock, declared, warnings } = await keeping({
      list: () => {
        times += 1;
        if (times === 2) throw new Error("cut");
        return [];
      },
    });
    await clock.advance(3 * MINUTE);
    expect(declared).toHaveLength(4);
    expect(warnings.map(([message]) => message)).toEqual([
      "The declarations of others could not be read; it is tried again.",
    ]);
  });
});

describe("R6 withdrawing what is stale", () => {
  it("withdraws what nobody has declared for the grace, once it has lived that long itself", async () => {
    const { clock, withdrawn } = await keeping({
      list: () => [record(["old.*", "older.*"], { idle: GRACE }), record(["other.*"], { idle: GRACE - 1 })],
    });
    await clock.advance(GRACE - 1);
    expect(withdrawn).toEqual([]);
    await clock.advance(1);
    expect(withdrawn).toEqual([["log", ["old.*", "older.*"], GRACE]]);
  });

  it("keeps a pattern that a live declaration has, however stale another that has it", async () => {
    const { clock, withdrawn } = await keeping({
      list: () => [record(["old.*", "kept.*"], { idle: 60 * MINUTE }), record(["kept.*"], { idle: MINUTE })],
    });
    await clock.advance(GRACE);
    expect(withdrawn).toEqual([["log", ["old.*"], GRACE]]);
  });

  // A broker so slow that what was just declared seems old.
  it("never withdraws its own", async () => {
    const { clock, withdrawn } = await keeping({ list: () => [record(["new.*"], { idle: 60 * MINUTE })] });
    await clock.advance(3 * GRACE);
    expect(withdrawn).toEqual([]);
  });

  // A broker that was down for long has heard of nobody: whoever comes back first would unbind what the others accept.
  it("after a broker that was away gives the others a whole grace to come back", async () => {
    const { clock, withdrawn, state } = await keeping({ list: () => [record(["other.*"], { idle: GRACE })] });
    await clock.advance(GRACE - MINUTE);
    state.refuses = true;
    await clock.advance(GRACE);
    state.refuses = false;
    await clock.advance(GRACE);
    expect(withdrawn).toEqual([]);
    await clock.advance(MINUTE);
    expect(withdrawn).toEqual([["log", ["other.*"], GRACE]]);
  });

  it("after a pause of its own process likewise, which others may have made too", async () => {
    const { clock, withdrawn, state } = await keeping({ list: () => [record(["other.*"], { idle: GRACE })] });
    await clock.advance(GRACE - MINUTE);
    state.paused = GRACE;
    await clock.advance(GRACE);
    expect(withdrawn).toEqual([]);
    await clock.advance(MINUTE);
    expect(withdrawn).toEqual([["log", ["other.*"], GRACE]]);
  });

  it("leaves the use cases of others alone", async () => {
    const { clock, withdrawn } = await keeping({
      list: () => [record(["old.*"], { useCase: "somebody_elses", idle: 60 * MINUTE })],
    });
    await clock.advance(GRACE);
    expect(withdrawn).toEqual([]);
  });

  it("asks for each of its use cases, and only then, where the broker cannot list the namespace", async () => {
    const declarations = [own, declarationOf({ name: "mail", patterns: ["a"] })];
    const { clock, asked, withdrawn } = await keeping({
      declarations,
      list: (useCase) => (useCase === undefined ? undefined : [record(["old.*"], { useCase, idle: GRACE })]),
    });
    await clock.advance(GRACE - 1);
    expect(asked.filter((useCase) => useCase !== undefined)).toEqual([]);
    await clock.advance(1);
    expect(asked.filter((useCase) => useCase !== undefined)).toEqual(["log", "mail"]);
    expect(withdrawn).toEqual([
      ["log", ["old.*"], GRACE],
      ["mail", ["old.*"], GRACE],
    ]);
  });
});

describe("R9 another app that declares the same use case", () => {
  const other = record(["their.*"], { app: "there", id: "their-declaration" });

  it("is warned of once, with the patterns of both", async () => {
    const { clock, warnings } = await keeping({ list: () => [other] });
    await clock.advance(GRACE);
    expect(warnings).toEqual([
      [
        expect.stringMatching(/^The app "there" declares the use case "log" too, with other patterns;/),
        { useCase: "log", otherApp: "there", otherPatterns: ["their.*"], patterns: ["new.*"] },
      ],
    ]);
  });

  it("is warned of for each use case and each app, also one that comes later", async () => {
    const declarations = [own, declarationOf({ name: "mail", patterns: ["a"] })];
    let list: readonly DeclarationRecord[] = [other, { ...other, useCase: "mail" }];
    const { clock, warnings } = await keeping({ declarations, list: () => list });
    expect(warnings).toHaveLength(2);
    list = [...list, { ...other, app: "elsewhere" }];
    await clock.advance(MINUTE);
    await clock.advance(MINUTE);
    expect(warnings.map(([, about]) => about)).toMatchObject([
      { useCase: "log", otherApp: "there" },
      { useCase: "mail", otherApp: "there" },
      { useCase: "log", otherApp: "elsewhere" },
    ]);
  });

  it.each<[string, Partial<DeclarationRecord>]>([
    ["with the same patterns", { id: own.id }],
    ["of the same name", { app: "here" }],
    ["that is stale", { idle: GRACE }],
    ["whose name the broker does not keep", { app: undefined }],
    ["of another use case", { useCase: "somebody_elses" }],
  ])("is not warned of: one %s", async (_, difference) => {
    const { clock, warnings } = await keeping({ list: () => [{ ...other, ...difference }] });
    await clock.advance(GRACE - 1);
    expect(warnings).toEqual([]);
  });
});

describe("reading the declarations of a use case", () => {
  it("tells which accept a name and which have a live instance, by three missed repeats", async () => {
    const { keeper } = await keeping({
      list: () => [
        record(["a.*", "b"], { id: "one", idle: 3 * MINUTE - 1 }),
        record(["#"], { id: "two", idle: 3 * MINUTE }),
      ],
    });
    const others = await keeper.read("log");
    expect(others.map(({ id, live, accepts }) => [id, live, ["a.x", "b", "c"].map(accepts)])).toEqual([
      ["one", true, [true, true, false]],
      ["two", false, [true, true, true]],
    ]);
  });

  it("one look at the broker serves all who asked before it began, by use case", async () => {
    const { keeper, asked } = await keeping();
    asked.length = 0;
    await Promise.all([1, 2, 3, 4].map(() => keeper.read("log")).concat(keeper.read("mail")));
    expect(asked.filter((useCase) => useCase === "log")).toHaveLength(2);
    expect(asked.filter((useCase) => useCase === "mail")).toHaveLength(1);
  });

  it("what was found serves for a second, by use case, and then no longer", async () => {
    const { keeper, clock } = await keeping({ list: () => [record(["a.*"], { id: "one" })] });
    expect(keeper.recent("log")).toEqual([]);
    await keeper.read("log");
    await clock.advance(1_000);
    expect(keeper.recent("log").map(({ id }) => id)).toEqual(["one"]);
    expect(keeper.recent("mail")).toEqual([]);
    await clock.advance(1);
    expect(keeper.recent("log")).toEqual([]);
  });

  it.each([true, false])("says whether the broker knows them all: %s", async (complete) => {
    expect((await keeping({ complete })).keeper.complete).toBe(complete);
  });
});
