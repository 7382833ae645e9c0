import { createHash } from "node:crypto";

/** An argument of a script. */
export type Argument = string | number | Buffer;

/** A Lua script that runs on the server. Each file of this folder states its script's purpose, KEYS, ARGV and reply. */
export class Script {
  readonly name: string;
  readonly source: string;
  /** The digest that calls the script once the server has loaded it. */
  readonly sha: string;

  constructor(name: string, source: string) {
    this.name = name;
    this.source = `-- papa-events: ${name}\n${source.trim()}\n`;
    this.sha = createHash("sha1").update(this.source).digest("hex");
  }
}
