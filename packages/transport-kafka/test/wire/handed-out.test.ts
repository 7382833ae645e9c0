import { expect, test } from "vitest";
import { encodeRuns, readRuns, runsBetween } from "../../src/wire/done-runs.ts";
import { afterDeath, readHandedOut, withHandedOut } from "../../src/wire/handed-out.ts";

test("T6 what is handed out is read back as it was, beside what is done", () => {
  const handedOut = { until: 150, once: 120, twice: 104 };
  for (const open of [[100], [100, 105, 110]]) {
    const runs = encodeRuns(100, runsBetween(100, 130, open));
    const metadata = withHandedOut(runs, 100, handedOut);
    expect(readHandedOut(100, metadata)).toEqual(handedOut);
    // The version before reads the runs in the same way.
    expect(readRuns(100, metadata).count).toBe(30 - open.length);
  }
  expect(readHandedOut(100, withHandedOut("", 100, handedOut))).toEqual(handedOut);
});

test("T6 a clean end needs no metadata, and what other programs committed says that nothing was open", () => {
  expect(withHandedOut("", 100, { until: 100, once: 90, twice: 0 })).toBe("");
  for (const text of ["", "hello", "!a,b,c", "1,2,3", "1,!a,b", "2,!a,b,c"])
    expect(readHandedOut(100, text)).toEqual({ until: 100, once: 100, twice: 100 });
});

test("T6 only what was handed out in both lives has come back twice", () => {
  const once = afterDeath({ until: 150, once: 100, twice: 100 });
  expect(once).toMatchObject({ once: 150, twice: 100 });
  expect(afterDeath({ ...once, until: 120 })).toMatchObject({ once: 150, twice: 120 });
  expect(afterDeath({ ...once, until: 190 })).toMatchObject({ once: 190, twice: 150 });
});
