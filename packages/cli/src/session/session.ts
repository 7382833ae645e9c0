import type { Logger } from "@papa-events/core";
import type { Operator } from "@papa-events/core/operator";
import type { InputStream } from "../input/confirm.ts";
import type { Output } from "../output/output.ts";
import type { Paint } from "../output/paint.ts";
import { safe } from "../output/safe-text.ts";

/** What every command has. */
export interface Session {
  readonly ops: Operator;
  readonly out: Output;
  readonly err: Output;
  /** Styles what goes to `out`. */
  readonly paint: Paint;
  /** Styles what goes to `err`. */
  readonly paintErr: Paint;
  readonly json: boolean;
  readonly stdin: InputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C, and, of what only looks, when nobody reads the output any more. */
  readonly signal: AbortSignal;
}

/** Does a command's work, and gives the exit code. */
export type Work = (session: Session) => Promise<number>;

/** How a command's work is run. */
export interface OpenOptions {
  /**
   * Whether the work ends by itself, soon after its signal is aborted, and says how far it came. Other work is left where it
   * is.
   */
  readonly endsBySignal?: boolean;
  /** Whether it acts, and so goes on when nobody reads its output any more; what only looks ends then. */
  readonly acts?: boolean;
}

/** Runs a command's work, with a session that is ended after it. */
export type Open = (work: Work, options?: OpenOptions) => Promise<void>;

/** A line for people, on standard error: with `--json` there is nobody to read it. */
export async function note({ err, json }: Session, text: string): Promise<void> {
  if (!json) await err.line(safe(text));
}

/**
 * What the library would log, on standard error. Programs get documents only, unless they ask for more.
 *
 * @param verbose whether also what is for whoever looks into a problem
 */
export function loggerTo(
  output: Output,
  paint: Paint,
  redact: (text: string) => string,
  json: boolean,
  verbose: boolean,
): Logger {
  const line = (style: "yellow" | "red" | "dim", about: object, message: string | undefined) => {
    const error = "err" in about && about.err instanceof Error ? ` (${about.err.message})` : "";
    void output.line(paint(style, safe(redact(`${message ?? ""}${error}`))));
  };
  const nothing = () => {};
  return {
    debug: verbose ? (about, message) => line("dim", about, message) : nothing,
    info: verbose ? (about, message) => line("dim", about, message) : nothing,
    warn: json && !verbose ? nothing : (about, message) => line("yellow", about, message),
    error: json && !verbose ? nothing : (about, message) => line("red", about, message),
  };
}
