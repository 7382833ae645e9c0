import { createWriteStream } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { interrupted } from "../errors/cli-error.ts";

/** Where input comes from, and what ends reading it. */
interface Source {
  readonly stdin: Readable;
  readonly signal: AbortSignal;
}

/**
 * Opens a file that is first checked and then sent, for as long as `work` needs it. Standard input and pipes can be read only
 * once, so that they are kept in a private temporary file meanwhile.
 *
 * @param path `-` is standard input
 */
export async function withInput<T>(
  path: string,
  { stdin, signal }: Source,
  work: (file: FileHandle) => Promise<T>,
): Promise<T> {
  if (path === "-") return spooled(stdin, signal, work);
  return opened(path, async (file) =>
    (await file.stat()).isFile() ? work(file) : spooled(file.createReadStream({ autoClose: false }), signal, work),
  );
}

async function opened<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, "r");
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

async function spooled<T>(stream: Readable, signal: AbortSignal, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "papa-"));
  try {
    const path = join(folder, "input.jsonl");
    await pipeline(stream, createWriteStream(path, { mode: 0o600 }), { signal }).catch((error: unknown) => {
      throw signal.aborted ? interrupted("Nothing was sent.") : error;
    });
    return await opened(path, work);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
