import type { DeclarationRecord } from "../transport/declarations.ts";
import type { QueueStats } from "../transport/transport.ts";

/** Declarations are repeated at least each few minutes (R6); who has not for so long does not run. */
export const ABSENT_MS = 3_600_000;

/** A use case as its namespace remembers it. */
export interface UseCaseInfo {
  readonly name: string;
  /** What is bound to it, sorted; empty where nothing is any more, or where the broker cannot tell. */
  readonly patterns: readonly string[];
  /** Who has declared it, the latest first. */
  readonly apps: readonly DeclaringApp[];
  /** When an instance last declared it; absent where that is not known. */
  readonly lastSeen?: Date | undefined;
  /** Whether an operator has paused it. */
  readonly paused: boolean;
  readonly stats: QueueStats;
}

/** An app that declares a use case. */
export interface DeclaringApp {
  /** The app's `name`. */
  readonly name: string;
  /** When one of its instances last declared the use case, by the broker's clock. */
  readonly lastSeen: Date;
}

/** How many events a use case holds, and whether it is paused. */
export interface UseCaseStats extends QueueStats {
  readonly paused: boolean;
}

/** Composes what is known of one use case. */
export function useCaseInfo(
  name: string,
  records: readonly DeclarationRecord[],
  paused: boolean,
  stats: QueueStats,
  now: number,
): UseCaseInfo {
  const patterns = [...new Set(records.flatMap((record) => record.patterns))].sort();
  const seen = new Map<string, number>();
  let latest = Number.POSITIVE_INFINITY;
  for (const { app, idle } of records) {
    latest = Math.min(latest, idle);
    if (app !== undefined) seen.set(app, Math.min(seen.get(app) ?? Number.POSITIVE_INFINITY, idle));
  }
  const apps = [...seen]
    .sort(([, one], [, other]) => one - other)
    .map(([app, idle]) => ({ name: app, lastSeen: new Date(now - idle) }));
  const lastSeen = Number.isFinite(latest) ? { lastSeen: new Date(now - latest) } : {};
  return { name, patterns, apps, ...lastSeen, paused, stats };
}
