import { RedisError, type Reply, Status } from "./reply.ts";

/** Takes commands out of the bytes that a client sends: `*n` and n strings each. */
export class CommandReader {
  #bytes = "";

  /** @returns the commands that are complete now */
  read(chunk: Buffer): string[][] {
    this.#bytes += chunk.toString("latin1");
    const commands: string[][] = [];
    let from = 0;
    for (let command = this.#commandAt(from); command !== undefined; command = this.#commandAt(from)) {
      commands.push(command.words);
      from = command.end;
    }
    this.#bytes = this.#bytes.slice(from);
    return commands;
  }

  #commandAt(from: number): { readonly words: string[]; readonly end: number } | undefined {
    const count = this.#numberAt(from, "*");
    if (count === undefined) return undefined;
    const words: string[] = [];
    let at = count.end;
    for (let left = count.number; left > 0; left -= 1) {
      const length = this.#numberAt(at, "$");
      if (length === undefined || this.#bytes.length < length.end + length.number + 2) return undefined;
      words.push(this.#bytes.slice(length.end, length.end + length.number));
      at = length.end + length.number + 2;
    }
    return { words, end: at };
  }

  #numberAt(from: number, sign: string): { readonly number: number; readonly end: number } | undefined {
    const end = this.#bytes.indexOf("\r\n", from);
    if (end === -1) return undefined;
    if (this.#bytes[from] !== sign) throw new Error(`A client sent no "${sign}" where one has to be.`);
    return { number: Number(this.#bytes.slice(from + 1, end)), end: end + 2 };
  }
}

/** A reply as RESP2 writes it. */
export function encodeReply(reply: Reply): Buffer {
  return Buffer.from(write(reply), "latin1");
}

function write(reply: Reply): string {
  if (reply === null) return "$-1\r\n";
  if (typeof reply === "number") return `:${reply}\r\n`;
  if (typeof reply === "string") return `$${reply.length}\r\n${reply}\r\n`;
  if (reply instanceof Status) return `+${reply.text}\r\n`;
  if (reply instanceof RedisError) return `-${reply.message}\r\n`;
  return `*${reply.length}\r\n${reply.map(write).join("")}`;
}
