import { isPapaError, PapaError } from "@papa-events/core";

/** Primary result codes, https://www.sqlite.org/rescode.html */
const SQLITE = { busy: 5, locked: 6, readOnly: 8, corrupt: 11, full: 13, noAccess: 23, noDatabase: 26 } as const;
const transport = "sqlite";

/** The primary result code of an error of SQLite's. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

/** Whether another program has the file locked. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === SQLITE.busy || code === SQLITE.locked;
}

/** Makes a {@link PapaError} of whatever SQLite has thrown. */
export function toPapaError(error: unknown, file: string): PapaError {
  if (isPapaError(error)) return error;
  const problem = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  switch (code) {
    case SQLITE.readOnly:
    case SQLITE.noAccess:
      return new PapaError(
        "access-refused",
        `${file} cannot be written: ${problem}.`,
        { transport, address: file },
        { cause: error },
      );
    case SQLITE.corrupt:
    case SQLITE.noDatabase:
      return new PapaError(
        "unsupported-broker",
        `${file} is not a usable database: ${problem}.`,
        { transport, problem },
        { cause: error },
      );
    default: {
      // What is too large or breaks a constraint is refused for good; what is locked or full is not.
      const retryable = code === undefined || ![18, 19, 20, 25].includes(code);
      return new PapaError(
        "connection-failed",
        `${file} could not be used: ${problem}.`,
        { transport, address: file },
        { cause: error, retryable },
      );
    }
  }
}
