import { createHash } from "node:crypto";

/** An argument of a script. */
export type Argument = string | number | Buffer;

/**
 * Whether a script may run on a server that has reached `maxmemory`: one that frees memory, or merely moves what is there,
 * has to, or a full server could not be drained (L7).
 */
type WhenFull = "runs-when-full" | "refused-when-full";

/** A Lua script that runs on the server. Each file of this folder states its script's purpose, KEYS, ARGV and reply. */
export class Script {
  readonly name: string;
  readonly source: string;
  /** The digest that calls the script once the server has loaded it. */
  readonly sha: string;

  constructor(name: string, whenFull: WhenFull, source: string) {
    const flags = whenFull === "runs-when-full" ? "#!lua flags=allow-oom\n" : "";
    this.name = name;
    this.source = `${flags}-- papa-events: ${name}\n${source.trim()}\n`;
    this.sha = createHash("sha1").update(this.source).digest("hex");
  }
}
