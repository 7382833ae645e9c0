/** What wakes somebody up. */
export interface Page {
  /** Two pages of one key are one. */
  readonly key: string;
  readonly message: string;
}

/** Stands for somebody else's service, out of order until it is repaired. */
export class Pager {
  readonly pages = new Map<string, Page>();
  #repaired = false;

  /** @throws Error until {@link repair} */
  async page(page: Page, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#repaired) throw new Error("connect ECONNREFUSED pager.example:443");
    this.pages.set(page.key, page);
  }

  repair(): void {
    this.#repaired = true;
  }
}
