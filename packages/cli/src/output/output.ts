import { once } from "node:events";
import type { Writable } from "node:stream";
import { safeJson } from "./safe-text.ts";

/** A stream that may be a terminal. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Writes to standard output or standard error, no faster than it is read. */
export class Output {
  readonly #stream: OutputStream;
  readonly #closing = new AbortController();
  #failure: Error | undefined;

  constructor(stream: OutputStream) {
    this.#stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // Whoever read has read enough (`| head`), and nothing is wrong; a full disk is another matter.
      if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") this.#failure ??= error;
      this.#closing.abort();
    });
  }

  /** Whether people look at it, and not a program. */
  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** How many characters a line has. */
  get width(): number {
    return this.#stream.columns || 80;
  }

  /** How many lines it has. */
  get height(): number {
    return this.#stream.rows || 24;
  }

  /** Aborted when nobody reads it any more. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** Why it could not be written to, where there is an error in it. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  get stream(): OutputStream {
    return this.#stream;
  }

  /** Writes a text as it is; the caller has made it safe. Resolves when there is room for more. */
  async write(text: string): Promise<void> {
    if (this.closed.aborted) return;
    if (this.#stream.write(text)) return;
    // A stream that closes has no room any more, ever.
    await once(this.#stream, "drain", { signal: this.closed }).catch(() => {});
  }

  line(text = ""): Promise<void> {
    return this.write(`${text}\n`);
  }

  /** One JSON document, on one line. */
  json(value: unknown): Promise<void> {
    return this.line(safeJson(value));
  }
}
