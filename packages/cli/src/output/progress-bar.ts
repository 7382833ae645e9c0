import type { Output } from "./output.ts";
import type { Paint } from "./paint.ts";
import { number } from "./words.ts";

/** How long something runs before a bar is worth showing, and how often it is drawn. */
const DRAWN_EVERY_MS = 100;
const BAR_WIDTH = 24;

/** What a bar shows. */
export interface Shown {
  /** How many have been looked at, out of {@link Shown.total}. */
  readonly seen: number;
  readonly total: number;
  /** What came of it, such as `1,204 redriven`. */
  readonly note: string;
}

/** A progress bar on standard error, where people look at it; nothing elsewhere. */
export class ProgressBar {
  readonly #output: Output;
  readonly #paint: Paint;
  readonly #visible: boolean;
  readonly #began = performance.now();
  #drawn = performance.now();
  #shown = false;

  constructor(output: Output, paint: Paint, wanted: boolean) {
    this.#output = output;
    this.#paint = paint;
    this.#visible = wanted && output.isTerminal;
  }

  show({ seen, total, note }: Shown): void {
    const now = performance.now();
    if (!this.#visible || now - this.#drawn < DRAWN_EVERY_MS) return;
    this.#drawn = now;
    this.#shown = true;
    const share = total === 0 ? 1 : Math.min(1, seen / total);
    const full = Math.round(share * BAR_WIDTH);
    const bar = this.#paint("cyan", "█".repeat(full)) + this.#paint("dim", "░".repeat(BAR_WIDTH - full));
    const rate = Math.round((seen * 1_000) / Math.max(1, now - this.#began));
    const counts = `${number(seen)} of ${number(Math.max(seen, total))}`;
    void this.#output.write(`\r\u001b[2K${bar} ${counts}, ${note}, ${number(rate)}/s`);
  }

  /** Takes it away. */
  end(): void {
    if (this.#shown) void this.#output.write("\r\u001b[2K");
    this.#shown = false;
  }
}
