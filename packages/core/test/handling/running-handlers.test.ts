import { describe, expect, it } from "vitest";
import { RunningHandlers } from "../../src/handling/running-handlers.ts";
import { turns } from "../support.ts";

/** Whether a promise has resolved, now. */
function watched(promise: Promise<void>): () => Promise<boolean> {
  let resolved = false;
  void promise.then(() => (resolved = true));
  return async () => {
    await turns(1);
    return resolved;
  };
}

describe("running handlers", () => {
  it("none() resolves at once where none runs, else when the last has ended", async () => {
    const running = new RunningHandlers(() => {});
    await running.none();
    running.started();
    running.started();
    const none = watched(running.none());
    expect(await none()).toBe(false);
    running.ended();
    expect(await none()).toBe(false);
    running.ended();
    expect(await none()).toBe(true);
  });

  it("several may wait, each for its own", async () => {
    const running = new RunningHandlers(() => {});
    running.started();
    const first = watched(running.none());
    const second = watched(running.none());
    running.ended();
    expect([await first(), await second()]).toEqual([true, true]);
    running.started();
    const third = watched(running.none());
    expect(await third()).toBe(false);
    running.ended();
    expect(await third()).toBe(true);
  });

  it("L2 noneButStopping() does not wait for those whose handlers wait for the stop themselves", async () => {
    const running = new RunningHandlers(() => {});
    for (let index = 0; index < 3; index += 1) running.started();
    const others = watched(running.noneButStopping());
    const first = running.waitsForStop();
    expect(await others()).toBe(false);
    running.ended();
    expect(await others()).toBe(false);
    running.waitsForStop();
    expect(await others()).toBe(true);
    // They run all the same.
    const none = watched(running.none());
    first();
    running.ended();
    expect(await none()).toBe(false);
    running.ended();
    expect(await none()).toBe(true);
  });

  it("one that waits no longer counts as the others do", async () => {
    const running = new RunningHandlers(() => {});
    running.started();
    running.started();
    running.waitsForStop()();
    const others = watched(running.noneButStopping());
    running.ended();
    expect(await others()).toBe(false);
    running.ended();
    expect(await others()).toBe(true);
  });

  it("T6 while one is to run alone none may start, and whoever waits for it is told when they may", () => {
    let opened = 0;
    const running = new RunningHandlers(() => (opened += 1));
    expect(running.open).toBe(true);
    running.keepFromStarting();
    expect([running.open, opened]).toEqual([false, 0]);
    running.letStart();
    expect([running.open, opened]).toEqual([true, 1]);
  });
});
