import type { WriteStream } from "node:tty";
import { type CountsByUseCase, deadInAll } from "./counts.ts";
import { dim, shownCount, shownTime, tableLines } from "./look.ts";

/** Where the run is. */
export interface Standing {
  readonly published: number;
  readonly toPublish: number;
  /** Milliseconds. */
  readonly elapsed: number;
  readonly expected: CountsByUseCase;
  readonly counts: CountsByUseCase;
}

/** Shows how a run goes on, until it is stopped. */
export interface Progress {
  /** Has a line shown for good. */
  note(line: string): void;
  /** Shows the last standing. */
  stop(): void;
}

/** A table that is redrawn where `out` is a terminal, else a line now and then. */
export function showProgress(out: WriteStream, standing: () => Standing): Progress {
  return out.isTTY ? new LiveTable(out, standing) : new PlainLines(out, standing);
}

class LiveTable implements Progress {
  readonly #out: WriteStream;
  readonly #standing: () => Standing;
  readonly #timer: NodeJS.Timeout;
  #height = 0;

  constructor(out: WriteStream, standing: () => Standing) {
    this.#out = out;
    this.#standing = standing;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), 100).unref();
  }

  note(line: string): void {
    this.#draw([line]);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#draw();
  }

  /** Over what was drawn before; `above` stays. */
  #draw(above: readonly string[] = []): void {
    const table = tableOf(this.#standing(), this.#out.columns);
    const up = this.#height === 0 ? "" : `\x1b[${this.#height}A\r`;
    this.#out.write(`${up}\x1b[J${[...above, ...table].join("\n")}\n`);
    this.#height = table.length;
  }
}

class PlainLines implements Progress {
  readonly #out: WriteStream;
  readonly #standing: () => Standing;
  readonly #timer: NodeJS.Timeout;
  #lastLine = "";

  constructor(out: WriteStream, standing: () => Standing) {
    this.#out = out;
    this.#standing = standing;
    this.#timer = setInterval(() => this.#report(), 500).unref();
  }

  note(line: string): void {
    this.#out.write(`${line}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#report();
  }

  /** Nothing where nothing has changed: a log need not hear every half second that a broker is away. */
  #report(): void {
    const standing = this.#standing();
    const line = lineOf(standing);
    if (line !== this.#lastLine) this.note(`  ${shownTime(standing.elapsed).padStart(6)}  ${line}`);
    this.#lastLine = line;
  }
}

function lineOf(standing: Standing): string {
  const all = Object.values(standing.counts);
  const sum = (count: (counts: (typeof all)[number]) => number) => all.reduce((total, each) => total + count(each), 0);
  return [
    `published ${publishedOf(standing)}`,
    `handled ${shownCount(sum(({ handled }) => handled))}`,
    `retried ${shownCount(sum(({ retried }) => retried))}`,
    `dead ${shownCount(sum(deadInAll))}`,
  ].join(", ");
}

const BAR = 24;
/** What a row takes: a narrower terminal would wrap it, and the redrawing would miss. */
const NARROWEST = 76;

function tableOf(standing: Standing, columns: number): readonly string[] {
  const last = dim(`  published ${publishedOf(standing)}, ${shownTime(standing.elapsed)}`);
  if (columns < NARROWEST) return [lineOf(standing).slice(0, columns - 1)];
  const rows = Object.entries(standing.counts).map(([useCase, counts]) => {
    const wanted = standing.expected[useCase]?.delivered ?? 0;
    const done = counts.handled + deadInAll(counts);
    return [
      useCase,
      bar(done, wanted),
      `${shownCount(done)}/${shownCount(wanted)}`,
      shownCount(counts.retried),
      shownCount(deadInAll(counts)),
    ];
  });
  const header = ["use case", "handled or dead", "", "retried", "dead"];
  const [head = "", ...body] = tableLines([header, ...rows], ["left", "left", "right", "right", "right"]);
  return [dim(head), ...body, last];
}

function bar(done: number, wanted: number): string {
  const full = wanted === 0 ? BAR : Math.min(Math.floor((done / wanted) * BAR), BAR);
  return "█".repeat(full) + dim("░".repeat(BAR - full));
}

function publishedOf({ published, toPublish }: Standing): string {
  return `${shownCount(published)}/${shownCount(toPublish)}`;
}
