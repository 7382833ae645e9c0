import { expect, test } from "vitest";
import { SharedWait } from "../../src/client/shared-wait.ts";

test("H9 questions during an outage leave nothing behind, however many there are", async () => {
  let waits = 0;
  const outage = Promise.withResolvers<void>();
  const wait = new SharedWait(() => {
    waits += 1;
    return outage.promise;
  });
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => wait.within(1)));
  expect(new Set(answers)).toEqual(new Set([false]));
  expect([wait.size, waits]).toEqual([0, 1]);
  const later = [wait.within(60_000), wait.within(60_000)];
  outage.resolve();
  expect(await Promise.all(later)).toEqual([true, true]);
  expect(await wait.within(60_000)).toBe(true);
  expect([wait.size, waits]).toEqual([0, 2]);
});

test("L2 what will never come again ends the wait at once", async () => {
  const wait = new SharedWait(async () => {
    throw new Error("closed");
  });
  expect(await wait.within(60_000)).toBe(false);
});
