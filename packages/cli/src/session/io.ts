import type { InputStream } from "../input/confirm.ts";
import type { OutputStream } from "../output/output.ts";

/** What the command reads, writes and is ended by. */
export interface Io {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}
