import { expect, test } from "vitest";
import { SharedRead } from "../../src/declarations/shared-read.ts";
import { turns } from "../support.ts";

/** Reads that end when the test says how. */
function heldReads() {
  const reads: PromiseWithResolvers<number>[] = [];
  const shared = new SharedRead(() => {
    const read = Promise.withResolvers<number>();
    reads.push(read);
    return read.promise;
  });
  return { reads, shared };
}

test("a call while nothing is read begins a read", async () => {
  const { reads, shared } = heldReads();
  const first = shared.get();
  expect(reads).toHaveLength(1);
  reads[0]?.resolve(1);
  expect(await first).toBe(1);
  const second = shared.get();
  expect(reads).toHaveLength(2);
  reads[1]?.resolve(2);
  expect(await second).toBe(2);
});

// What a read under way has seen may be older than the call.
test("calls during a read share the next one, which begins when that has ended", async () => {
  const { reads, shared } = heldReads();
  const first = shared.get();
  const later = [shared.get(), shared.get(), shared.get()];
  await turns();
  expect(reads).toHaveLength(1);
  reads[0]?.resolve(1);
  await turns();
  expect(reads).toHaveLength(2);
  const last = shared.get();
  reads[1]?.resolve(2);
  await turns();
  expect(reads).toHaveLength(3);
  reads[2]?.resolve(3);
  expect([await first, await Promise.all(later), await last]).toEqual([1, [2, 2, 2], 3]);
});

test("a read that fails fails its callers, and the next is made all the same", async () => {
  const { reads, shared } = heldReads();
  const first = shared.get();
  const second = shared.get();
  reads[0]?.reject(new Error("cut"));
  await expect(first).rejects.toThrow("cut");
  await turns();
  reads[1]?.resolve(2);
  expect(await second).toBe(2);
  const third = shared.get();
  reads[2]?.resolve(3);
  expect(await third).toBe(3);
});
