import type { EncodedEvent, ReceivedEvent, TailListener } from "@papa-events/core/transport";
import { describe, expect, it } from "vitest";
import { Tails } from "../../src/administration/tails.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const event = (name: string, bytes = 1): EncodedEvent => ({
  name,
  id: name,
  time: 0,
  headers: {},
  body: Buffer.alloc(bytes),
});

class Shown implements TailListener {
  readonly events: ReceivedEvent[] = [];
  readonly dropped: number[] = [];
  readonly errors: Error[] = [];
  readonly onEvent = (shown: ReceivedEvent) => void this.events.push(shown);
  readonly onDropped = (count: number) => void this.dropped.push(count);
  readonly onEnd = (error: Error) => void this.errors.push(error);
}

describe("tails", () => {
  it("L6 a tail is shown what it asked for, never in the publisher's stack", async () => {
    const tails = new Tails();
    const shown = new Shown();
    tails.add(["a.*", "a.b"], shown);
    tails.show([event("a.b"), event("b"), event("a.c")]);
    expect(shown.events).toEqual([]);
    await turn();
    expect(shown.events.map(({ name }) => name)).toEqual(["a.b", "a.c"]);
    expect(shown.dropped).toEqual([]);
  });

  it("L6 what comes in one turn beyond 10,000 events or 16 MiB is dropped and counted, and the next turn is shown", async () => {
    const tails = new Tails();
    const [many, large] = [new Shown(), new Shown()];
    tails.add(["many"], many);
    tails.add(["large"], large);
    tails.show(Array.from({ length: 10_007 }, () => event("many")));
    const body = event("large", 5 * 1_048_576);
    tails.show([body, body, body, body, body]);
    await turn();
    expect([many.events.length, many.dropped]).toEqual([10_000, [7]]);
    expect([large.events.length, large.dropped]).toEqual([3, [2]]);
    tails.show([event("many"), body]);
    await turn();
    expect([many.events.length, large.events.length]).toEqual([10_001, 4]);
    expect([many.dropped, large.dropped]).toEqual([[7], [2]]);
  });

  it("L6 a tail that its listener stops is shown nothing more of the same turn", async () => {
    const tails = new Tails();
    const shown = new Shown();
    const tail = tails.add(["a"], {
      ...shown,
      onEvent: (each) => {
        shown.onEvent(each);
        void tail.stop();
      },
    });
    tails.show([event("a"), event("a")]);
    await turn();
    tails.show([event("a")]);
    await turn();
    tail.end(new Error("it was stopped before"));
    expect([shown.events.length, shown.errors]).toEqual([1, []]);
  });

  it("L6 a tail that ends is shown nothing more, and ends once", async () => {
    const tails = new Tails();
    const shown = new Shown();
    const tail = tails.add(["a"], shown);
    tails.show([event("a")]);
    tail.end(new Error("gone"));
    tail.end(new Error("gone again"));
    await turn();
    await tail.stop();
    expect([shown.events, shown.errors]).toEqual([[], [new Error("gone")]]);
  });
});
