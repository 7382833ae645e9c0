import type { Duration } from "@papa-events/core";
import { assertKnownOptions, invalidOption, toMilliseconds } from "@papa-events/core/transport";
import { SqliteTransport } from "./transport.ts";

/** How the file is shared. */
export interface SqliteOptions {
  /** The path of the file; it is made where there is none. A namespace is a file. */
  readonly file: string;
  /** How soon others may take what a process had that has died; 10 s unless set. No handler may block Node.js for so long. */
  readonly lease?: Duration | undefined;
  /** How often to look for events; 20 ms unless set. */
  readonly poll?: Duration | undefined;
  /** How long another program may lock the file before the connection counts as lost; 5 s unless set. */
  readonly lockTimeout?: Duration | undefined;
}

/**
 * A broker in an SQLite file, for the processes of one machine. Needs Node.js 22.16.
 *
 * @example new PapaApp({ transport: sqlite("events.db") });
 * @throws PapaError `invalid-option`
 */
export function sqlite(target: string | SqliteOptions): SqliteTransport {
  const options = typeof target === "string" ? { file: target } : target;
  assertKnownOptions(options, ["file", "lease", "poll", "lockTimeout"], "sqlite");
  const { file, lease = "10s", poll = 20, lockTimeout = "5s" } = options;
  if (typeof file !== "string" || file === "") throw invalidOption("sqlite: file", "the path of a file is needed");
  return new SqliteTransport({
    file,
    lease: toMilliseconds(lease, "sqlite: lease"),
    poll: toMilliseconds(poll, "sqlite: poll"),
    lockTimeout: toMilliseconds(lockTimeout, "sqlite: lockTimeout"),
  });
}

/** Reads `sqlite:events.db?lease=2s`. @throws PapaError `invalid-option` */
export function fromUri(uri: string): SqliteTransport {
  const [, path = "", query = ""] = /^sqlite:([^?]*)(?:\?(.*))?$/.exec(uri) ?? [];
  if (path === "")
    throw invalidOption("transport URL", `${JSON.stringify(uri)} is not of the form sqlite:path?lease=10s`);
  return sqlite({ file: decodeURIComponent(path), ...Object.fromEntries(new URLSearchParams(query)) });
}
