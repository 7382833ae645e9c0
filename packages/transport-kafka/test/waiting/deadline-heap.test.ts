import { expect, test } from "vitest";
import { DeadlineHeap } from "../../src/waiting/deadline-heap.ts";

test("T3 items come out in the order of their times, whatever the order they went in", () => {
  for (let round = 0; round < 50; round += 1) {
    const times = Array.from({ length: 100 }, () => Math.floor(Math.random() * 50));
    const heap = new DeadlineHeap<number>();
    for (const time of times) heap.add(time, time);
    expect(heap.first?.at).toBe(Math.min(...times));
    expect(times.map(() => heap.shift())).toEqual(times.toSorted((a, b) => a - b));
    expect(heap.shift()).toBeUndefined();
  }
});
