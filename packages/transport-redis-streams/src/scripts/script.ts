import { createHash } from "node:crypto";

/** What scripts take. */
export type Argument = string | number | Buffer;

/** A Lua script of the server. The file of each tells its purpose, KEYS, ARGV and reply. */
export class Script {
  readonly name: string;
  readonly source: string;
  /** By which the server knows it once it has been loaded. */
  readonly sha: string;

  constructor(name: string, source: string) {
    this.name = name;
    this.source = `-- papa-events: ${name}\n${source.trim()}\n`;
    this.sha = createHash("sha1").update(this.source).digest("hex");
  }
}
