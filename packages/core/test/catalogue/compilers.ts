import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The compilers that users have, by the names of their packages here. */
export const compilers = ["typescript", "typescript-5.9"] as const;
type Compiler = (typeof compilers)[number];

/** An error, its lines below the first included. */
interface Diagnostic {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** What a compiler says of a project. The counts measure its work alike on every machine. */
export interface Compiled {
  readonly diagnostics: readonly Diagnostic[];
  /** How many types it made of generic ones. */
  readonly instantiations: number;
  /** How many pairs of types it has compared and remembers; 0 on the newer compiler, which does not tell. */
  readonly comparisons: number;
}

/** Checks the project in a folder. */
export async function compile(compiler: Compiler, project: string): Promise<Compiled> {
  // Threads would each make types of their own; the older compiler has but one, and no option for it.
  const threads = compiler === "typescript" ? ["--singleThreaded"] : [];
  const options = ["--noEmit", "--pretty", "false", "--extendedDiagnostics", ...threads];
  const output = await run(compiler, ["-p", ".", ...options], project);
  const counts = (title: RegExp) => [...output.matchAll(title)].map(([, count]) => Number(count));
  const [instantiations] = counts(/^Instantiations:\s+(\d+)$/gm);
  if (instantiations === undefined) throw new Error(`${compiler} did not run:\n${output}`);
  const comparisons = counts(/^(?:Assignability|Identity|Subtype|Strict subtype) cache size:\s+(\d+)$/gm);
  return {
    diagnostics: diagnosticsIn(output),
    instantiations,
    comparisons: comparisons.reduce((sum, count) => sum + count, 0),
  };
}

/** The compiler's output, whether it finds errors or not. */
export function run(compiler: Compiler, args: readonly string[], cwd: string): Promise<string> {
  const tsc = fileURLToPath(new URL(`../../../../node_modules/${compiler}/bin/tsc`, import.meta.url));
  return new Promise((done) => {
    execFile(process.execPath, [tsc, ...args], { cwd, maxBuffer: 2 ** 26 }, (_error, stdout, stderr) =>
      done(stdout + stderr),
    );
  });
}

const FIRST_LINE = /^(?<file>.+?)\((?<line>\d+),\d+\): error (?<text>.*)$/;

function diagnosticsIn(output: string): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const line of output.split("\n")) {
    const first = FIRST_LINE.exec(line)?.groups;
    const last = found.at(-1);
    if (first !== undefined) found.push({ file: `${first.file}`, line: Number(first.line), text: `${first.text}` });
    else if (line.startsWith(" ") && last !== undefined)
      found.splice(-1, 1, { ...last, text: `${last.text}\n${line}` });
  }
  return found;
}
