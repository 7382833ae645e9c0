import type { Transport } from "@papa-events/core";
import { type Operator, operator } from "@papa-events/core/operator";
import { transportFromUri } from "@papa-events/core/uri";
import { interrupted } from "../errors/cli-error.ts";
import { brokerUrl } from "../input/broker-url.ts";
import type { Output } from "../output/output.ts";
import type { Paint } from "../output/paint.ts";
import type { Io } from "./io.ts";
import { loggerTo, type OpenOptions, type Session, type Work } from "./session.ts";

/** How long a command that was ended may take to complete what is under way. */
const GRACE_MS = 10_000;
/** How long the connection may take to close: the work is done by then. */
const MAX_CLOSE_MS = 3_000;
const MAX_CLOSE_MS_IF_INTERRUPTED = 200;

/** The options that every command has. */
export interface CommonOptions {
  readonly broker?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** What sessions of a run share. */
export interface SessionParts {
  readonly io: Io;
  readonly out: Output;
  readonly err: Output;
  readonly paint: Paint;
  readonly paintErr: Paint;
  readonly redact: (text: string) => string;
  /** In place of the one of `--broker`. */
  readonly transport: Transport | undefined;
}

/** Runs a command's work on a broker, and ends the connection. */
export async function openSession(
  work: Work,
  { endsBySignal = false, acts = false }: OpenOptions,
  { broker, json = false, verbose = false }: CommonOptions,
  { io, out, err, paint, paintErr, redact, transport }: SessionParts,
): Promise<number> {
  const signal = acts ? io.signal : AbortSignal.any([io.signal, out.closed]);
  const ops = operator(transport ?? transportFromUri(brokerUrl(broker, io.env)), {
    name: "papa-cli",
    logger: loggerTo(err, paintErr, redact, json, verbose),
  });
  const session: Session = { ops, out, err, paint, paintErr, json, stdin: io.stdin, env: io.env, signal };
  try {
    return await unlessInterrupted(work(session), signal, endsBySignal ? GRACE_MS : 0);
  } finally {
    await closed(ops, signal.aborted ? MAX_CLOSE_MS_IF_INTERRUPTED : MAX_CLOSE_MS);
  }
}

/** Waits for the work no longer than it is given once it is to end. */
async function unlessInterrupted(work: Promise<number>, signal: AbortSignal, grace: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const interruption = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(interrupted()), grace);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([work, interruption]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function closed(ops: Operator, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  // What was done is done: how the connection ends changes nothing about it.
  await Promise.race([ops.close().catch(() => {}), limit]);
  clearTimeout(timer);
}
