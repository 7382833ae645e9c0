import { describe, expect, it } from "vitest";
import { diagnoseUseCases, inOrder } from "../../src/operator/diagnose.ts";
import type { UseCaseInfo } from "../../src/operator/use-case-info.ts";

const now = Date.parse("2026-03-10T12:00:00Z");
const HOUR_MS = 3_600_000;

function useCase(hoursAway: number | undefined, waiting: number, others: Partial<UseCaseInfo> = {}): UseCaseInfo {
  const stats = { ready: waiting, inFlight: 0, waiting: 0, dead: 0 };
  const lastSeen = hoursAway === undefined ? {} : { lastSeen: new Date(now - hoursAway * HOUR_MS) };
  return { name: "mail", patterns: [], apps: [], ...lastSeen, paused: false, stats, ...others };
}

describe("of a use case that no instance runs", () => {
  it.each([
    [2, 3, true],
    [0.5, 3, false],
    [72, 0, false],
    [120, 0, true],
    [undefined, 3, false],
  ])("away for %s h with %i events waiting, something is said: %s", (hoursAway, waiting, isSaid) => {
    const findings = diagnoseUseCases([useCase(hoursAway, waiting)], now);
    expect(findings.map(({ remedy }) => remedy.includes("papa remove mail"))).toEqual(isSaid ? [true] : []);
  });
});

it("an app that has gone shares a use case with nobody", () => {
  const app = (name: string, hoursAway: number) => ({ name, lastSeen: new Date(now - hoursAway * HOUR_MS) });
  const findings = (hoursAway: number) =>
    diagnoseUseCases([useCase(0, 0, { apps: [app("shop", 0), app("audit", hoursAway)] })], now);
  expect(findings(0.5)).toMatchObject([{ what: expect.stringContaining('"shop" and "audit"') }]);
  expect(findings(2)).toEqual([]);
});

it("the gravest comes first, and the rest in its order", () => {
  const said = (severity: "error" | "warning" | "info", what: string) => ({ severity, what, why: "", remedy: "" });
  const findings = [said("info", "a"), said("warning", "b"), said("error", "c"), said("warning", "d")];
  expect(inOrder(findings).map(({ what }) => what)).toEqual(["c", "b", "d", "a"]);
});
