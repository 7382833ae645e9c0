import { createHash } from "node:crypto";

/** An argument of a script. */
export type Argument = string | number | Buffer;

/**
 * Whether a script may run on a server that has reached `maxmemory`: one that frees memory, or merely moves what is there,
 * has to, or a full server could not be drained (L7). One that only reads may always run, also for an account that may do
 * nothing else.
 */
type Mode = "runs-when-full" | "refused-when-full" | "reads-only";

const HEADS: Readonly<Record<Mode, string>> = {
  "runs-when-full": "#!lua flags=allow-oom\n",
  "refused-when-full": "",
  "reads-only": "#!lua flags=no-writes\n",
};

/** A Lua script that runs on the server. Each file of this folder states its script's purpose, KEYS, ARGV and reply. */
export class Script {
  readonly name: string;
  readonly source: string;
  /** The digest that calls the script once the server has loaded it. */
  readonly sha: string;
  readonly readsOnly: boolean;

  constructor(name: string, mode: Mode, source: string) {
    this.name = name;
    this.readsOnly = mode === "reads-only";
    this.source = `${HEADS[mode]}-- papa-events: ${name}\n${source.trim()}\n`;
    this.sha = createHash("sha1").update(this.source).digest("hex");
  }
}
