/** How long a loss counts: an event that it returned has come back by then. */
const REMEMBERED_MS = 600_000;

/**
 * Counts the channels that this process has lost. Each loss returned everything that was handed out or on its way, which
 * the broker counts as it counts the death of a process. So many returns of an event may have been of such a loss, and
 * are not held against it (T6).
 */
export class OwnLosses {
  #times: number[] = [];

  add(): void {
    this.#times = [...this.#recent, performance.now()];
  }

  get count(): number {
    return this.#recent.length;
  }

  get #recent(): number[] {
    const since = performance.now() - REMEMBERED_MS;
    return this.#times.filter((time) => time > since);
  }
}
