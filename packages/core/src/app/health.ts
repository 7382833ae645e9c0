import type { QueueStats } from "../transport/transport.ts";

/** Where an app is in its life; it goes through it once. */
export type AppState = "new" | "starting" | "running" | "stopping" | "stopped";

/** How an app is. Plain data: it survives `JSON.stringify`. */
export interface Health {
  readonly state: AppState;
  /** Whether it runs, its broker can be reached, and consuming, publishing and settling get on. */
  readonly healthy: boolean;
  /** Whether the broker can be reached; `false` before the start and after the stop. */
  readonly connected: boolean;
  /** The kind of broker. */
  readonly transport: string;
  /** What keeps it from being healthy; empty where nothing does. */
  readonly reasons: readonly HealthReason[];
  /** The use cases of this app that an operator has paused; they do not make it unhealthy. */
  readonly paused: readonly string[];
}

/** Something that keeps events from being consumed, published or settled. */
export interface HealthReason {
  /** What it is about, such as `connection`, `publishing` or `consuming "send_welcome"`. */
  readonly subject: string;
  /** What is wrong, in words. */
  readonly message: string;
  /** Since when, as ISO 8601. */
  readonly since: string;
}

/** What a use case of an app holds on the broker. */
export interface UseCaseCounts extends QueueStats {
  /** Set while an operator has paused it. */
  readonly paused?: boolean;
}

/** Collects what keeps an app from being healthy, one problem for each subject (L6). */
export class Problems {
  readonly #now: () => number;
  readonly #reasons = new Map<string, HealthReason>();

  /** @param now the time of day in milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes a problem, or, without one, that it is over. A problem that goes on keeps its time. */
  report(subject: string, problem: string | undefined): void {
    if (problem === undefined) {
      this.#reasons.delete(subject);
      return;
    }
    const since = this.#reasons.get(subject)?.since ?? new Date(this.#now()).toISOString();
    this.#reasons.set(subject, { subject, message: problem, since });
  }

  get reasons(): readonly HealthReason[] {
    return [...this.#reasons.values()];
  }
}
