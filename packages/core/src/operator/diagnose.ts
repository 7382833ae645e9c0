import type { Finding } from "../transport/administration.ts";
import { ABSENT_MS, type UseCaseInfo } from "./use-case-info.ts";

/** After how long without a sign of life a use case is worth a word: a weekend and a public holiday. */
const STALE_MS = 4 * 24 * 3_600_000;

const ORDER: Readonly<Record<Finding["severity"], number>> = { error: 0, warning: 1, info: 2 };

/** What can be said of any namespace, whatever its broker. */
export function diagnoseUseCases(useCases: readonly UseCaseInfo[], now: number): Finding[] {
  return useCases.flatMap((useCase) => [...findingsOf(useCase, now)]);
}

/** The gravest first. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((one, other) => ORDER[one.severity] - ORDER[other.severity]);
}

function* findingsOf({ name, apps, lastSeen, paused, stats }: UseCaseInfo, now: number): Generator<Finding> {
  const waiting = stats.ready + stats.waiting;
  const absent = lastSeen === undefined ? undefined : now - lastSeen.getTime();
  if (paused) {
    yield {
      severity: "warning",
      what: `The use case "${name}" is paused; ${waiting} events wait.`,
      why: "No instance handles its events until it is resumed; they are kept.",
      remedy: `Resume it when the cause is gone: papa resume ${name}`,
    };
  }
  if (absent !== undefined && absent > (waiting > 0 ? ABSENT_MS : STALE_MS)) {
    yield {
      severity: "warning",
      what: `No instance has run the use case "${name}" since ${new Date(now - absent).toISOString()}; ${waiting} events wait.`,
      why: "Its queue goes on collecting events as long as it exists.",
      remedy: `Start its service, or, if it has been retired, remove it: papa remove ${name}`,
    };
  }
  if (stats.dead > 0) {
    yield {
      severity: "warning",
      what: `The use case "${name}" has ${stats.dead} dead letters.`,
      why: "They failed for good and wait for a person; they never expire.",
      remedy: `See what they failed of: papa dlq summary ${name}`,
    };
  }
  const live = apps.filter((app) => now - app.lastSeen.getTime() < ABSENT_MS);
  if (live.length > 1) {
    yield {
      severity: "warning",
      what: `The use case "${name}" is declared by ${live.map((app) => `"${app.name}"`).join(" and ")}.`,
      why: "Apps that share a use case share its events: each event goes to one of them only.",
      remedy: "If they are two services, give one of the use cases another name.",
    };
  }
}
