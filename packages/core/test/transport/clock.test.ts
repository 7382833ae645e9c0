import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/transport/clock.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("the machine's clock", () => {
  it("tells the time of day, and a time that only grows", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
    const before = systemClock.elapsed();
    expect(systemClock.elapsed()).toBeGreaterThanOrEqual(before);
  });

  // Node.js counts from the start of the loop's turn in whole milliseconds.
  it("T2 never fires early", async () => {
    const early: number[] = [];
    await Promise.all(
      Array.from({ length: 300 }, (_, index) => {
        const delay = (index % 20) + index / 300;
        const begun = performance.now();
        return new Promise<void>((resolve) => {
          systemClock.after(delay, () => {
            const waited = performance.now() - begun;
            if (waited < delay) early.push(waited - delay);
            resolve();
          });
        });
      }),
    );
    expect(early).toEqual([]);
  });

  it("a timer that is cancelled does not fire, and cancelling one that has fired does nothing", () => {
    vi.useFakeTimers();
    let fired = 0;
    const cancel = systemClock.after(10, () => (fired += 1));
    const kept = systemClock.after(10, () => (fired += 1));
    cancel();
    vi.advanceTimersByTime(100);
    kept();
    expect([fired, vi.getTimerCount()]).toEqual([1, 0]);
  });

  // Node.js fires a longer one at once.
  it.each([2_147_483_647, 2_147_483_648, 1e12])("a timer of %d ms does not fire at once", (delay) => {
    vi.useFakeTimers();
    let fired = 0;
    systemClock.after(delay, () => (fired += 1));
    vi.advanceTimersByTime(1_000_000_000);
    expect(fired).toBe(0);
  });

  it("does not keep the process alive", () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const cancel = systemClock.after(60_000, () => {});
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout")).toHaveLength(before);
    cancel();
  });
});
