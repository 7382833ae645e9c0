import { PassThrough, Readable, Writable } from "node:stream";
import type { Transport } from "@papa-events/core";
import { onTestFinished } from "vitest";
import { run } from "../../src/index.ts";

/** What a run of the command came to. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PapaOptions {
  readonly transport?: Transport | undefined;
  /** What standard input has. */
  readonly stdin?: string | undefined;
  /** Whether standard output and error are terminals. */
  readonly terminal?: boolean | undefined;
  /** What is typed into the terminal; nobody sits there unless set. */
  readonly typed?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Ctrl-C. */
  readonly signal?: AbortSignal | undefined;
  /** Called with all that standard output has so far. */
  readonly onOutput?: ((stdout: string) => void) | undefined;
  /** What writing to standard output fails with. */
  readonly failing?: string | undefined;
  readonly onError?: ((stderr: string) => void) | undefined;
}

/** Runs the command in this process. */
export async function papa(args: readonly string[], options: PapaOptions = {}): Promise<Ran> {
  const { transport, stdin = "", terminal = false, typed, env = {}, onOutput, onError, failing } = options;
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => {
    const writable = new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        if (name === "stdout" && failing !== undefined)
          return done(Object.assign(new Error(failing), { code: failing }));
        written[name] += chunk;
        if (name === "stdout") onOutput?.(written.stdout);
        else onError?.(written.stderr);
        done();
      },
    });
    return Object.assign(writable, terminal ? { isTTY: true, columns: 120 } : {});
  };
  const input = typed === undefined ? Readable.from([stdin]) : keyboard(typed);
  const code = await run(
    args,
    {
      stdin: input,
      stdout: stream("stdout"),
      stderr: stream("stderr"),
      env,
      signal: options.signal ?? new AbortController().signal,
    },
    { transport },
  );
  return { code, ...written };
}

/** A terminal at which somebody types as soon as there is a question. */
function keyboard(typed: string): Readable & { isTTY: true } {
  const input = Object.assign(new PassThrough(), { isTTY: true as const, isRaw: false, setRawMode: () => input });
  // A prompt listens for keys once it is drawn.
  input.on("newListener", (event) => {
    if (event === "keypress") setImmediate(() => input.write(typed));
  });
  onTestFinished(() => void input.destroy());
  return input;
}

/** The JSON of a run, a document for each line. */
export function documents(text: string): unknown[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}
