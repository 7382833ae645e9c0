import { isPapaError, PapaError } from "@papa-events/core";

/** Primary result codes, https://www.sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;
/** Busy, locked, out of memory, an error of the disk, a full disk, a file that cannot be opened: none of them need last. */
const MAY_PASS: readonly unknown[] = [BUSY, LOCKED, 7, 10, 13, 14];

const transport = "sqlite";

/** Whether another program has the file locked. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === BUSY || code === LOCKED;
}

/** Makes a {@link PapaError} of whatever SQLite has thrown. */
export function toPapaError(error: unknown, file: string): PapaError {
  if (isPapaError(error)) return error;
  const problem = error instanceof Error ? error.message : String(error);
  const options = { cause: error, retryable: MAY_PASS.includes(codeOf(error)) };
  switch (codeOf(error)) {
    case READ_ONLY:
      return new PapaError("access-refused", `${file} cannot be written.`, { transport, address: file }, options);
    case CORRUPT:
    case NOT_A_DATABASE:
      return new PapaError("unsupported-broker", `${file}: ${problem}.`, { transport, problem }, options);
    default:
      return new PapaError("connection-failed", `${file}: ${problem}.`, { transport, address: file }, options);
  }
}

/** The primary result code: the lowest byte of the extended one. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}
