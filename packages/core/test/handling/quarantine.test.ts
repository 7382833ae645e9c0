import { memory, virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it, vi } from "vitest";
import type { DeliveryContext } from "../../src/handling/delivery-context.ts";
import { Quarantine, type Suspect } from "../../src/handling/quarantine.ts";
import { RunningHandlers } from "../../src/handling/running-handlers.ts";
import { type PapaApp, useCase } from "../../src/index.ts";
import { GivenUp } from "../../src/outcome/given-up.ts";
import type { Delivery, Trials } from "../../src/transport.ts";
import { FakeTransport, silent, started, turns } from "../support.ts";
import { contextOf, notingLogger, TestDelivery } from "./support.ts";

/** Trials that are kept in a list of what was asked for; the test may fail or hold them. */
class NotedTrials implements Trials {
  readonly log: string[] = [];
  /** Records by event, each by its trial's place in the order of trials. */
  readonly open = new Map<string, Set<string>>();
  onBegin: () => Promise<void> = async () => {};
  onEnd: () => Promise<void> = async () => {};
  readonly #names = new Map<string, number>();

  /** As left by processes that died on trial. */
  died(eventId: string, times: number): void {
    this.open.set(eventId, new Set(Array.from({ length: times }, (_, index) => `death ${index}`)));
  }

  async begin(useCase: string, eventId: string, trial: string): Promise<number> {
    this.log.push(`begin ${useCase} ${eventId} ${this.#name(trial)}`);
    await this.onBegin();
    const records = this.open.get(eventId) ?? new Set();
    const earlier = records.size;
    this.open.set(eventId, records.add(trial));
    return earlier;
  }

  async end(useCase: string, eventId: string, trial?: string): Promise<void> {
    this.log.push(`end ${useCase} ${eventId} ${trial === undefined ? "all" : this.#name(trial)}`);
    await this.onEnd();
    if (trial === undefined) this.open.get(eventId)?.clear();
    else this.open.get(eventId)?.delete(trial);
  }

  /** How many records are kept of an event. */
  count(eventId: string): number {
    return this.open.get(eventId)?.size ?? 0;
  }

  #name(trial: string): number {
    const known = this.#names.get(trial) ?? this.#names.size + 1;
    this.#names.set(trial, known);
    return known;
  }
}

/** A quarantine on a clock that the test moves, and handlers that end when the test says so. */
function quarantine({ crashLimit = 5, room = (): Promise<void> | undefined => undefined } = {}) {
  const clock = virtualClock({ start: 0 });
  const trials = new NotedTrials();
  let opened = 0;
  const running = new RunningHandlers(() => (opened += 1));
  const { lines, logger } = notingLogger();
  const handled: string[] = [];
  const ends = new Map<string, () => void>();
  const given = new Quarantine({ trials, running, clock, crashLimit });
  /** Adds a suspect whose handler runs until `end(id)`. */
  const add = (id: string): { readonly delivery: TestDelivery; readonly context: DeliveryContext } => {
    const delivery = new TestDelivery({ id }, { redeliveries: 2 });
    const context = contextOf(delivery, { clock, logger });
    const handle: Suspect["handle"] = async (tried: Delivery) => {
      handled.push(id);
      running.started();
      await new Promise<void>((resolve) => ends.set(id, resolve));
      if (context.refusal === undefined) await tried.settle({ kind: "done", outputs: [] });
      running.ended();
    };
    given.add({ delivery, context, handle, wanted: () => true, room });
    return { delivery, context };
  };
  const end = async (id: string) => {
    ends.get(id)?.();
    await turns();
  };
  return { clock, trials, running, handled, lines, add, end, opened: () => opened, quarantine: given };
}

describe("T6 a trial", () => {
  it("is recorded before its handler starts, and taken back when that has ended", async () => {
    const { trials, handled, add, end } = quarantine();
    const recorded = Promise.withResolvers<void>();
    trials.onBegin = () => recorded.promise;
    add("1");
    await turns();
    expect([trials.log, handled]).toEqual([["begin log 1 1"], []]);
    recorded.resolve();
    await turns();
    expect([handled, trials.count("1")]).toEqual([["1"], 1]);
    await end("1");
    expect(trials.count("1")).toBe(0);
    expect(trials.log).toContain("end log 1 1");
  });

  it.each([0, 1, 4])(
    "%d deaths on trial are too few: the handler is called, and the event is settled by it",
    async (deaths) => {
      const { trials, handled, add, end, lines } = quarantine();
      trials.died("1", deaths);
      const { context, delivery } = add("1");
      await turns();
      expect([handled, context.refusal]).toEqual([["1"], undefined]);
      await end("1");
      expect(delivery.kinds).toEqual(["done"]);
      expect(lines.filter(([level]) => level === "warn").map(([, message]) => message)).toEqual(
        deaths === 0 ? [] : ["A process died while it handled this event before."],
      );
    },
  );

  it.each([
    [5, 5],
    [5, 9],
    [1, 1],
  ])(
    "with a crashLimit of %d, %d records that were never taken back make it refuse its handler",
    async (crashLimit, deaths) => {
      const { trials, add, end } = quarantine({ crashLimit });
      trials.died("1", deaths);
      const { context } = add("1");
      await turns();
      const { refusal } = context;
      if (!(refusal instanceof GivenUp)) throw new Error("It is to be given up.");
      expect([refusal.reason, refusal.why.code, refusal.why.details]).toEqual([
        "crash-loop",
        "crash-loop",
        { useCase: "log", crashes: deaths },
      ]);
      await end("1");
    },
  );

  it("the records of an event that has come to its end all go", async () => {
    const { trials, add, end } = quarantine();
    trials.died("1", 3);
    add("1");
    await turns();
    expect(trials.count("1")).toBe(4);
    await end("1");
    expect(trials.count("1")).toBe(0);
  });

  it.each(["retry", "release"] as const)("deaths still count after a %s", async (kind) => {
    const { quarantine: given, trials } = quarantine();
    trials.died("1", 3);
    const delivery = new TestDelivery({ id: "1" }, { redeliveries: 2 });
    const settlement = { kind, delay: 1, event: delivery.event } as Parameters<Delivery["settle"]>[0];
    given.add({
      delivery,
      context: contextOf(delivery),
      handle: async (tried) => void (await tried.settle(settlement)),
      wanted: () => true,
      room: () => undefined,
    });
    await turns();
    expect([delivery.kinds, trials.count("1")]).toEqual([[kind], 3]);
  });

  it("deaths still count where the delivery was lost before its outcome was stored", async () => {
    const { trials, add, end } = quarantine();
    trials.died("1", 3);
    const { delivery } = add("1");
    await turns();
    delivery.lost = true;
    await end("1");
    expect(trials.count("1")).toBe(3);
  });

  it("of an event that is lost by then does not take place", async () => {
    const { clock, trials, handled, add, end } = quarantine();
    add("1");
    const { delivery } = add("2");
    await turns();
    delivery.lost = true;
    await end("1");
    await clock.advance("1s");
    expect([handled, trials.log.filter((each) => each.startsWith("begin"))]).toEqual([["1"], ["begin log 1 1"]]);
    expect(delivery.settlements).toEqual([]);
  });
});

describe("T6 a suspect is alone", () => {
  it("it waits until no other handler runs, and keeps others from starting until it has ended", async () => {
    const { running, trials, handled, add, end, opened } = quarantine();
    running.started();
    add("1");
    await turns();
    expect([running.open, trials.log, handled]).toEqual([false, [], []]);
    running.ended();
    await turns();
    expect([running.open, handled]).toEqual([false, ["1"]]);
    await end("1");
    expect([running.open, opened()]).toEqual([true, 1]);
  });

  it("it waits 10 s at the most for a handler that runs for longer", async () => {
    const { clock, running, handled, add } = quarantine();
    running.started();
    add("1");
    await clock.advance(9_999);
    expect(handled).toEqual([]);
    await clock.advance(1);
    expect(handled).toEqual(["1"]);
  });

  it("suspects are tried one at a time, in their order", async () => {
    const { clock, trials, handled, add, end } = quarantine();
    for (const id of ["1", "2", "3"]) add(id);
    await turns();
    expect(handled).toEqual(["1"]);
    for (const id of ["1", "2", "3"]) {
      await end(id);
      await clock.advance("1s");
    }
    expect(handled).toEqual(["1", "2", "3"]);
    expect(trials.log.filter((each) => each.startsWith("begin"))).toEqual([1, 2, 3].map((n) => `begin log ${n} ${n}`));
  });

  it.each([
    ["as long as it took", 300, 300],
    ["a second at the most", 9_000, 1_000],
  ])("between two suspects the others get %s", async (_, took, turn) => {
    const { clock, running, handled, add, end } = quarantine();
    add("1");
    add("2");
    await turns();
    await clock.advance(took);
    await end("1");
    expect(running.open).toBe(true);
    await clock.advance(turn - 1);
    expect([running.open, handled]).toEqual([true, ["1"]]);
    await clock.advance(1);
    expect([running.open, handled]).toEqual([false, ["1", "2"]]);
  });

  it("no other handler of the app starts meanwhile, of whichever use case", async () => {
    const transport = new FakeTransport();
    transport.trials = new NotedTrials();
    const log: string[] = [];
    const gates = new Map<string, () => void>();
    const handler = (name: string) =>
      useCase(name, { on: "#" }, async (_, { id }) => {
        log.push(`${name} ${id} starts`);
        await new Promise<void>((resolve) => gates.set(`${name} ${id}`, resolve));
        log.push(`${name} ${id} ends`);
      });
    await started(transport, [handler("one"), handler("two")]);
    const settled = [transport.deliver("one", { name: "a", id: "before" })];
    await turns();
    settled.push(transport.deliver("one", { name: "a", id: "suspect" }, { redeliveries: 2 }));
    settled.push(
      transport.deliver("one", { name: "a", id: "after" }),
      transport.deliver("two", { name: "a", id: "x" }),
    );
    await turns();
    expect(log).toEqual(["one before starts"]);
    gates.get("one before")?.();
    await turns();
    expect(log.slice(1)).toEqual(["one before ends", "one suspect starts"]);
    gates.get("one suspect")?.();
    await turns();
    expect(log.slice(3)).toEqual(["one suspect ends", "one after starts", "two x starts"]);
    gates.get("one after")?.();
    gates.get("two x")?.();
    expect((await Promise.all(settled)).map(({ kind }) => kind)).toEqual(["done", "done", "done", "done"]);
  });
});

describe("T6 who is a suspect", () => {
  it.each([
    [0, true, 0],
    [1, true, 0],
    [2, true, 1],
    [1_000, true, 1],
    [1_000, false, 0],
  ])("an event that came back %d times, where trials can be recorded: %s", async (redeliveries, records, begun) => {
    const transport = new FakeTransport();
    const trials = new NotedTrials();
    if (records) transport.trials = trials;
    let called = 0;
    await started(transport, [useCase("log", { on: "#" }, () => void (called += 1))]);
    const settlement = await transport.deliver("log", { name: "a", id: "1" }, { redeliveries });
    expect([settlement.kind, called]).toEqual(["done", 1]);
    expect(trials.log.filter((each) => each.startsWith("begin"))).toHaveLength(begun);
  });

  it("after crashLimit deaths on trial it is a dead letter, attempts uncounted, and the handler is not called", async () => {
    const transport = new FakeTransport();
    const trials = new NotedTrials();
    trials.died("1", 3);
    transport.trials = trials;
    let called = 0;
    await started(transport, [useCase("log", { on: "#" }, () => void (called += 1))], { crashLimit: 3 });
    const settlement = await transport.deliver("log", { name: "a", id: "1" }, { redeliveries: 5 });
    expect(settlement).toMatchObject({
      kind: "dead",
      event: {
        headers: {
          papa_reason: "crash-loop",
          papa_attempt: "1",
          papa_error_message:
            '3 processes died while they handled this event for "log", each time with nothing else beside it.',
        },
      },
    });
    expect(called).toBe(0);
    await vi.waitFor(() => expect(trials.count("1")).toBe(0));
  });
});

describe("T6 what is no fault of the event", () => {
  it("a trial that cannot be recorded: the event goes back to its queue, unhandled, and others go on meanwhile", async () => {
    const { clock, trials, running, handled, lines, add } = quarantine();
    trials.onBegin = async () => {
      throw new Error("read-only");
    };
    const { delivery } = add("1");
    await turns();
    expect([handled, running.open]).toEqual([[], true]);
    await clock.advance("1s");
    expect([delivery.kinds, handled]).toEqual([["release"], []]);
    expect(lines.map(([level, message]) => [level, message])).toContainEqual([
      "warn",
      "A trial could not be recorded; the event goes back to its queue.",
    ]);
  });

  // Its reply may have been lost, and the record be there.
  it("a trial of which nobody knows whether it was recorded is taken back", async () => {
    const { clock, trials, add } = quarantine();
    let lost = true;
    const begin = trials.begin.bind(trials);
    trials.begin = async (...args) => {
      await begin(...args);
      throw new Error("connection lost");
    };
    trials.onEnd = async () => {
      if (lost) throw new Error("connection lost");
    };
    add("1");
    await turns();
    expect(trials.count("1")).toBe(1);
    lost = false;
    await clock.advance("2s");
    expect(trials.count("1")).toBe(0);
  });

  // A suspect that did nothing was condemned with one that killed its process while the record was on its way.
  it("nothing is begun until the record of the one before has been taken back", async () => {
    const { clock, trials, running, handled, add, end } = quarantine();
    const takenBack = Promise.withResolvers<void>();
    trials.onEnd = () => takenBack.promise;
    add("harmless");
    add("kills");
    await turns();
    await end("harmless");
    expect([handled, running.open, trials.count("kills")]).toEqual([["harmless"], false, 0]);
    takenBack.resolve();
    await clock.advance(1);
    expect([handled, trials.count("harmless"), trials.count("kills")]).toEqual([["harmless", "kills"], 0, 1]);
  });

  it("a process that lives and loses its connection takes its record back as soon as it can", async () => {
    const { clock, trials, handled, add, end } = quarantine();
    let connected = false;
    trials.onEnd = async () => {
      if (!connected) throw new Error("connection lost");
    };
    const { delivery } = add("1");
    add("2");
    await turns();
    delivery.lost = true;
    await end("1");
    await clock.advance("9s");
    expect([trials.count("1"), handled]).toEqual([1, ["1"]]);
    // It holds up the others no longer than a handler would.
    await clock.advance("2s");
    expect([trials.count("1"), handled]).toEqual([1, ["1", "2"]]);
    connected = true;
    await clock.advance("1s");
    expect(trials.count("1")).toBe(0);
  });
});

describe("H8 a suspect that takes long", () => {
  it("keeps the others from starting for 10 s, and goes on beside them", async () => {
    const { clock, running, trials, handled, add, end, quarantine: given } = quarantine();
    add("hangs");
    await turns();
    await clock.advance("9s");
    expect([handled, running.open]).toEqual([["hangs"], false]);
    await clock.advance("2s");
    expect(running.open).toBe(true);
    add("next");
    await clock.advance("12s");
    expect([handled, trials.count("hangs"), trials.count("next")]).toEqual([["hangs", "next"], 1, 1]);
    // Its process lives.
    await given.close();
    expect([trials.count("hangs"), trials.count("next")]).toEqual([0, 0]);
    await end("hangs");
    await end("next");
  });

  it("H2 none is tried beside as many handlers as its use case may have, and the others go on", async () => {
    let free: () => void = () => {};
    let full = true;
    const room = () => (full ? new Promise<void>((resolve) => (free = resolve)) : undefined);
    const { clock, running, handled, add, end } = quarantine({ room });
    add("1");
    await turns();
    await clock.advance("60s");
    expect([handled, running.open]).toEqual([[], true]);
    full = false;
    free();
    await turns();
    expect(handled).toEqual(["1"]);
    await end("1");
  });

  it("L2 what waits for room is given back when the app stops, before those behind it", async () => {
    let room: Promise<void> | undefined = new Promise(() => {});
    const { quarantine: given, add, handled, end } = quarantine({ room: () => room });
    const { delivery } = add("1");
    await turns();
    room = undefined;
    add("2");
    await turns();
    given.stop();
    given.giveBack();
    expect([delivery.kinds, handled]).toEqual([["release"], ["2"]]);
    await end("2");
  });
});

describe("L2 stop() and trials", () => {
  it("begins none any more, and gives the suspects back, the last first", async () => {
    const { clock, quarantine: given, handled, add, end, trials } = quarantine();
    const released: string[] = [];
    const [first, second, third] = ["1", "2", "3"].map((id) => {
      const added = add(id);
      const settle = added.delivery.settle.bind(added.delivery);
      added.delivery.settle = (settlement) => {
        if (settlement.kind === "release") released.push(id);
        return settle(settlement);
      };
      return added;
    });
    await turns();
    given.stop();
    given.giveBack();
    expect(released).toEqual(["3", "2"]);
    await end("1");
    await clock.advance("10s");
    expect(handled).toEqual(["1"]);
    expect([first, second, third].map((each) => each?.delivery.kinds)).toEqual([["done"], ["release"], ["release"]]);
    await given.close();
    expect(trials.count("1")).toBe(0);
  });

  it("gives back a suspect that still waits to be alone", async () => {
    const { quarantine: given, running, handled, trials, add } = quarantine();
    running.started();
    const { delivery } = add("1");
    await turns();
    given.stop();
    given.giveBack();
    running.ended();
    await turns();
    expect([handled, trials.log, delivery.kinds]).toEqual([[], [], ["release"]]);
  });

  it("gives back a suspect whose trial was just being recorded, its record taken back", async () => {
    const { quarantine: given, handled, trials, add } = quarantine();
    const recorded = Promise.withResolvers<void>();
    trials.onBegin = () => recorded.promise;
    const { delivery } = add("1");
    await turns();
    given.stop();
    given.giveBack();
    const closed = given.close();
    recorded.resolve();
    await closed;
    await turns();
    expect([handled, delivery.kinds, trials.count("1")]).toEqual([[], ["release"], 0]);
  });

  it("close() takes back the record of a trial that still runs", async () => {
    const { quarantine: given, trials, add, end } = quarantine();
    add("1");
    await turns();
    expect(trials.count("1")).toBe(1);
    given.stop();
    await given.close();
    expect(trials.count("1")).toBe(0);
    await end("1");
    expect(trials.log.filter((each) => each === "end log 1 1")).toHaveLength(1);
  });

  it("close() tries until the broker takes it back, unless it is given up", async () => {
    const { clock, quarantine: given, trials, add, end } = quarantine();
    let asked = 0;
    trials.onEnd = async () => {
      asked += 1;
      throw new Error("away");
    };
    const { delivery } = add("1");
    await turns();
    delivery.lost = true;
    await end("1");
    let closed = false;
    void given.close().then(() => (closed = true));
    await clock.advance("3s");
    expect([closed, asked]).toEqual([false, 4]);
    given.giveUp();
    await clock.advance("10s");
    expect([closed, asked]).toEqual([true, 5]);
  });

  it("an app that is stopped during a trial counts nothing against the event", async () => {
    const clock = virtualClock();
    const transport = memory({ clock });
    let deliver = 0;
    const gate = Promise.withResolvers<void>();
    const stuck = () =>
      useCase("stuck", { on: "a", retries: 0 }, async () => {
        deliver += 1;
        await gate.promise;
      });
    const start = () => started(transport, [stuck()], { drainTimeout: "1s", crashLimit: 1, logger: silent });
    let app: PapaApp = await start();
    await app.newEvent("a", 1);
    for (let crash = 1; crash <= 2; crash += 1) {
      await vi.waitFor(() => expect(deliver).toBe(crash));
      transport.crash();
      app = await start();
    }
    // Clean stops during its trial, more than crashLimit.
    for (let stop = 1; stop <= 3; stop += 1) {
      await vi.waitFor(() => expect(deliver).toBe(2 + stop));
      const stopped = app.stop();
      await clock.advance("1s");
      await stopped;
      app = await start();
    }
    await vi.waitFor(() => expect(deliver).toBe(6));
    gate.resolve();
    await clock.settled();
    expect((await app.stats()).stuck).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  });
});
