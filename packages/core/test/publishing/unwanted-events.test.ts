import { describe, expect, it, onTestFinished, vi } from "vitest";
import { isPapaError, PapaApp, type PapaAppOptions, useCase } from "../../src/index.ts";
import { type Unwanted, UnwantedEvents } from "../../src/publishing/unwanted-events.ts";
import type { Declarations } from "../../src/transport.ts";
import { FakeTransport, silent, started, turns } from "../support.ts";

/** A look at what is declared; the test says what there is, and may hold or fail it. */
function unwantedEvents(unwanted: Unwanted, list: () => Promise<readonly string[] | undefined>) {
  const warnings: [message: string | undefined, about: object][] = [];
  let looks = 0;
  const declarations = {
    list: async () => {
      looks += 1;
      const patterns = await list();
      return patterns?.map((pattern) => ({ useCase: "any", patterns: [pattern], idle: 0 }));
    },
  } as unknown as Declarations;
  const logger = { ...silent, warn: (about: object, message?: string) => void warnings.push([message, about]) };
  const events = new UnwantedEvents({ declarations, unwanted, logger });
  return { events, warnings, looks: () => looks };
}

const patterns =
  (...given: string[]) =>
  async () =>
    given;

describe('R5 unwanted: "warn"', () => {
  it("warns of a name that no pattern matches, with the nearest one, and publishes it", async () => {
    const { events, warnings } = unwantedEvents("warn", patterns("user.created", "user.deleted", "order.#"));
    expect(events.check("user.create")).toBeUndefined();
    await turns();
    expect(warnings).toEqual([
      [
        'No use case wants "user.create"; the nearest pattern is "user.created". Such an event is accepted and forgotten.',
        { eventName: "user.create", nearest: "user.created" },
      ],
    ]);
  });

  it.each<[string, readonly string[], string | undefined]>([
    ["user.7.create", ["user.*.created", "user.*.updated"], "user.*.created"],
    ["user.a-long-id-of-a-user.create", ["user.*.created"], "user.*.created"],
    ["usr.created.eu", ["user.#", "order.#"], "user.#"],
    ["user.created.eu", ["usr.#.eu"], "usr.#.eu"],
    ["invoice.paid", ["user.created"], undefined],
    ["invoice.paid", [], undefined],
  ])("the pattern nearest to %s among %j is %s", async (name, declared, nearest) => {
    const { events, warnings } = unwantedEvents("warn", patterns(...declared));
    events.check(name);
    await turns();
    expect(warnings.map(([, about]) => about)).toEqual([
      nearest === undefined ? { eventName: name } : { eventName: name, nearest },
    ]);
    expect(warnings[0]?.[0]).toBe(
      `No use case wants "${name}"${nearest === undefined ? "" : `; the nearest pattern is "${nearest}"`}. Such an event is accepted and forgotten.`,
    );
  });

  it.each(["user.created", "user.created.eu", "order.placed", "a"])(
    "says nothing of %s, which a pattern matches",
    async (name) => {
      const { events, warnings } = unwantedEvents("warn", patterns("user.#", "order.*", "a"));
      events.check(name);
      await turns();
      expect(warnings).toEqual([]);
    },
  );

  it("says it once a name, and looks no more for a name that is known", async () => {
    const { events, warnings, looks } = unwantedEvents("warn", patterns("a"));
    for (let time = 0; time < 3; time += 1) {
      events.check("a");
      events.check("b");
      await turns();
    }
    events.check("c");
    await turns();
    expect(warnings.map(([, about]) => about)).toMatchObject([{ eventName: "b" }, { eventName: "c" }]);
    expect(looks()).toBeLessThanOrEqual(3);
  });

  it("a thousand names at once take two looks", async () => {
    const { events, looks } = unwantedEvents("warn", patterns("#"));
    for (let index = 0; index < 1_000; index += 1) events.check(`name-${index}`);
    await turns();
    expect(looks()).toBe(2);
  });

  // Names with ids in them are without number, and each would have the broker list everything that is declared.
  it.each<Unwanted>(["warn", "refuse"])(
    "%s: wanted names that come one after the other share a look",
    async (unwanted) => {
      const { events, looks, warnings } = unwantedEvents(unwanted, patterns("user.*"));
      for (let index = 0; index < 100; index += 1) {
        await events.check(`user.${index}`);
        await turns(1);
      }
      expect([looks(), warnings]).toEqual([1, []]);
    },
  );

  it("a look serves ten seconds: who wanted a name may have been removed", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    let declared = ["user.*"];
    const { events, warnings } = unwantedEvents("warn", async () => declared);
    events.check("user.1");
    await turns();
    declared = [];
    events.check("user.2");
    await turns();
    expect(warnings).toEqual([]);
    vi.advanceTimersByTime(10_001);
    events.check("user.3");
    await turns();
    expect(warnings.map(([, about]) => about)).toEqual([{ eventName: "user.3" }]);
  });

  it("looks anew before it says it: a use case that was declared meanwhile wants it", async () => {
    const held = Promise.withResolvers<void>();
    let declared: readonly string[] = [];
    const { events, warnings } = unwantedEvents("warn", async () => {
      const seen = declared;
      await held.promise;
      return seen;
    });
    events.check("a");
    await turns();
    // The look for "a" is under way; a look that began before is not good enough for "b".
    declared = ["b"];
    events.check("b");
    held.resolve();
    await turns();
    expect(warnings.map(([, about]) => about)).toEqual([{ eventName: "a" }]);
  });

  it("a look that fails says nothing, and is made again at the next publish", async () => {
    let broken = true;
    const { events, warnings } = unwantedEvents("warn", async () => {
      if (broken) throw new Error("cut");
      return [];
    });
    events.check("a");
    await turns();
    expect(warnings).toEqual([]);
    broken = false;
    events.check("a");
    await turns();
    expect(warnings).toHaveLength(1);
  });

  it("a transport that cannot tell what is declared is asked, and nothing is said", async () => {
    const { events, warnings } = unwantedEvents("warn", async () => undefined);
    events.check("a");
    await turns();
    expect(warnings).toEqual([]);
  });

  it("names without number do not fill the memory: beyond ten thousand they are looked up anew", async () => {
    const { events, warnings } = unwantedEvents("warn", patterns());
    for (let index = 0; index < 10_001; index += 1) events.check(`name-${index}`);
    await turns();
    const before = warnings.length;
    events.check("name-0");
    await turns();
    expect(warnings.length).toBe(before + 1);
  });
});

describe('R5 unwanted: "refuse"', () => {
  it("rejects a name that no pattern matches, each time, and does not publish it", async () => {
    const { events } = unwantedEvents("refuse", patterns("user.created"));
    for (let time = 0; time < 2; time += 1) {
      const error: unknown = await events.check("user.create")?.catch((thrown: unknown) => thrown);
      if (!isPapaError(error, "unwanted-event")) throw error;
      expect(error.message).toBe(
        'No use case wants "user.create"; the nearest pattern is "user.created". It was not published.',
      );
      expect(error.details).toEqual({ eventName: "user.create", nearest: "user.created" });
    }
  });

  it("a wanted name waits for the look once, and never again", async () => {
    const { events, looks } = unwantedEvents("refuse", patterns("a"));
    await events.check("a");
    expect([events.check("a"), looks()]).toEqual([undefined, 1]);
  });

  it("a name that was refused is published once somebody wants it", async () => {
    let declared: readonly string[] = [];
    const { events } = unwantedEvents("refuse", async () => declared);
    await expect(events.check("a")).rejects.toMatchObject({ code: "unwanted-event" });
    declared = ["a"];
    await events.check("a");
  });

  it("a transport that cannot tell refuses nothing", async () => {
    const { events } = unwantedEvents("refuse", async () => undefined);
    await events.check("a");
  });

  it("a look that fails rejects with why, and nothing is published", async () => {
    const { events } = unwantedEvents("refuse", async () => {
      throw new Error("cut");
    });
    await expect(events.check("a")).rejects.toThrow("cut");
  });
});

it('R5 unwanted: "accept" never looks', async () => {
  const { events, warnings, looks } = unwantedEvents("accept", patterns());
  expect(events.check("a")).toBeUndefined();
  await turns();
  expect([warnings, looks()]).toEqual([[], 0]);
});

describe("R5 in an app", () => {
  async function publishing(options: Partial<PapaAppOptions>) {
    const transport = new FakeTransport();
    transport.onList = () => [{ useCase: "log", patterns: ["user.*"], idle: 0 }];
    const warnings: unknown[] = [];
    const logger = { ...silent, warn: (_: object, message?: string) => void warnings.push(message) };
    const app = await started(transport, [], { logger, ...options });
    return { app, transport, warnings };
  }

  it("warns unless set otherwise, and publishes", async () => {
    const { app, transport, warnings } = await publishing({});
    await app.newEvent("usr.created", 1);
    await app.newEvents([{ name: "usr.created", payload: 2 }]);
    await turns();
    expect([transport.calls.flat().length, warnings.length]).toEqual([2, 1]);
  });

  it('"refuse" publishes nothing of a list in which one is unwanted', async () => {
    const { app, transport } = await publishing({ unwanted: "refuse" });
    const events = [
      { name: "user.created", payload: 1 },
      { name: "usr.created", payload: 1 },
    ];
    await expect(app.newEvents(events)).rejects.toMatchObject({ code: "unwanted-event" });
    await expect(app.newEvent("usr.created", 1)).rejects.toMatchObject({ code: "unwanted-event" });
    expect(transport.calls).toEqual([]);
    await app.newEvent("user.created", 1);
    expect(transport.calls).toHaveLength(1);
  });

  it('with "refuse" an output that nobody wants yet fails the attempt, since who wants it may be deployed later', async () => {
    const transport = new FakeTransport();
    transport.onList = () => [{ useCase: "log", patterns: ["a"], idle: 0 }];
    const app = new PapaApp({ transport, logger: silent, unwanted: "refuse" });
    app.use(useCase("log", { on: "a" }, () => ({ name: "b", payload: 1 })));
    await app.start();
    expect(await transport.deliver("log", { name: "a" })).toMatchObject({
      kind: "retry",
      event: { headers: { papa_attempt: "2", papa_error_message: expect.stringContaining('wants "b"') } },
    });
    await app.stop();
  });
});
