import { describe, expect, it } from "vitest";
import { parseMoment, parseSpan } from "../../src/input/moment.ts";

const now = Date.parse("2026-03-10T12:00:00Z");

describe("times of --since and --until", () => {
  it.each([
    ["2h", "2026-03-10T10:00:00.000Z"],
    ["3d", "2026-03-07T12:00:00.000Z"],
    ["1.5h", "2026-03-10T10:30:00.000Z"],
    ["1w", "2026-03-03T12:00:00.000Z"],
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["2026-01-31T09:30", "2026-01-31T09:30:00.000Z"],
    ["2026-01-31 09:30:15", "2026-01-31T09:30:15.000Z"],
    ["2026-01-31T09:30:15.250Z", "2026-01-31T09:30:15.250Z"],
    ["2026-01-31T09:30+01:00", "2026-01-31T08:30:00.000Z"],
  ])("%s is %s", (text, iso) => {
    expect(parseMoment(text, "--since", now).toISOString()).toBe(iso);
  });

  it.each(["", "yesterday", "2", "2 hours", "-2h", "2026-13-01", "2026-02-30T25:00", "1e9d"])(
    "%j is refused",
    (text) => {
      expect(() => parseMoment(text, "--since", now)).toThrow("--since");
    },
  );
});

it("a duration is more than nothing, and a day at most", () => {
  expect(parseSpan("500ms", "--interval")).toBe(500);
  expect(() => parseSpan("0s", "--interval")).toThrow("--interval");
  expect(() => parseSpan("25h", "--interval")).toThrow("--interval");
  expect(() => parseSpan("2", "--interval")).toThrow("--interval");
});
