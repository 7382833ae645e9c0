import type { Refusal } from "../../plan/plan.ts";

/** What the broker does not do for now. */
export class Weather {
  /** Whether nobody can connect. */
  outage = false;
  readonly #refused = new Map<Refusal, number>();

  begin(what: Refusal): void {
    this.#refused.set(what, (this.#refused.get(what) ?? 0) + 1);
  }

  end(what: Refusal): void {
    this.#refused.set(what, Math.max(0, (this.#refused.get(what) ?? 0) - 1));
  }

  refuses(what: Refusal): boolean {
    return (this.#refused.get(what) ?? 0) > 0;
  }

  clear(): void {
    this.outage = false;
    this.#refused.clear();
  }
}
