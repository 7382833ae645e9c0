import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { DeadLetterItem } from "@papa-events/core";
import { invalidInput } from "../../errors/cli-error.ts";
import { invalidLine, type JsonLine, jsonLines } from "../../input/json-lines.ts";

/** Where in the file a dead letter is. */
interface Place {
  readonly number: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * A file of dead letters that were exported and mended. All of it is checked first, and of each line only its place is kept:
 * a payload is read again when its turn comes.
 */
export class MendedFile {
  readonly #file: FileHandle;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #found = new Set<string>();

  private constructor(file: FileHandle, places: ReadonlyMap<string, Place>) {
    this.#file = file;
    this.#places = places;
  }

  /** @throws CliError `invalid-input`, which names the line */
  static async check(file: FileHandle, useCase: string): Promise<MendedFile> {
    const places = new Map<string, Place>();
    for await (const line of jsonLines(file)) {
      const id = idOf(line, useCase);
      const first = places.get(id);
      if (first !== undefined) throw invalidLine(line.number, `"${id}" is on line ${first.number} already`);
      const { number, offset, length } = line;
      places.set(id, { number, offset, length });
    }
    if (places.size === 0) throw invalidInput("The file has no dead letters.");
    return new MendedFile(file, places);
  }

  get ids(): string[] {
    return [...this.#places.keys()];
  }

  /** Notes that a dead letter is there; gives whether the file has it. */
  find(id: string): boolean {
    if (!this.#places.has(id)) return false;
    this.#found.add(id);
    return true;
  }

  /** The lines whose dead letters nobody has found: they are gone. */
  get gone(): number[] {
    return [...this.#places].flatMap(([id, { number }]) => (this.#found.has(id) ? [] : number));
  }

  /** What a dead letter goes back with; `undefined` where the file has it as it is. */
  payloadFor(item: DeadLetterItem): unknown {
    const place = this.#places.get(item.id);
    if (place === undefined || !this.find(item.id)) return undefined;
    const { id, payload } = this.#read(place);
    if (id !== item.id) throw invalidInput("The file was changed while it was read.");
    // One that is as it was goes back byte by byte, and is not marked as mended.
    return "payload" in item && isDeepStrictEqual(payload, item.payload) ? undefined : payload;
  }

  #read({ offset, length }: Place): Readonly<Record<string, unknown>> {
    const bytes = Buffer.alloc(length);
    readSync(this.#file.fd, bytes, 0, length, offset);
    return JSON.parse(bytes.toString().replace(/^\ufeff/, "")) as Record<string, unknown>;
  }
}

function idOf({ number, value }: JsonLine, useCase: string): string {
  const { id, useCase: owner, payload } = value;
  if (typeof id !== "string") throw invalidLine(number, '"id" is missing: this is no dead letter of papa dlq export');
  if (owner !== undefined && owner !== useCase)
    throw invalidLine(number, `it is a dead letter of ${JSON.stringify(owner)}, not of "${useCase}"`);
  if (payload !== undefined && JSON.stringify(payload).includes('"__proto__":'))
    throw invalidLine(number, 'its payload has a key called "__proto__", which receivers refuse');
  return id;
}
