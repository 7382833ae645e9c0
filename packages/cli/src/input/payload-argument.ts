import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { invalidInput } from "../errors/cli-error.ts";

/**
 * Reads a payload that is given as JSON, as `@file`, or as `-` for standard input.
 *
 * @throws CliError `invalid-input`
 */
export async function readPayload(argument: string, stdin: Readable): Promise<unknown> {
  if (argument === "-") return parse((await buffer(stdin)).toString(), "Standard input");
  if (!argument.startsWith("@")) return parse(argument, "The payload");
  const path = argument.slice(1);
  return parse(await readFile(path, "utf8"), path);
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    const hint = "A string needs its own quotes: '\"text\"'. A file is given as @file.json, standard input as -";
    throw invalidInput(`${what} is not JSON: ${(error as Error).message}.`, hint);
  }
}
