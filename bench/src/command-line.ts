import { parseArgs } from "node:util";

/** What can be asked for by name. */
interface Runnable {
  readonly name: string;
  readonly title: string;
  readonly broker?: string;
  readonly contenders?: readonly { readonly name: string }[];
}

/** What a command line asks for. */
export interface Choice {
  readonly runs: (runnable: Runnable) => boolean;
  readonly takes: (contender: { readonly name: string }) => boolean;
  readonly rounds: number;
  /** The share of the events that is measured. */
  readonly scale: number;
}

/** A command line that asks for what there is not. */
export class UsageError extends Error {}

const QUICK = 0.2;

/**
 * What `args` ask for, or `help`.
 *
 * @throws UsageError
 */
export function readCommandLine(args: readonly string[], all: readonly Runnable[]): Choice | "help" {
  const { values, positionals: names } = parsed(args);
  if (values.help) return "help";
  for (const name of names) {
    if (!all.some((runnable) => standsFor(name, runnable))) {
      throw new UsageError(`unknown benchmark "${name}"; there are ${all.map((each) => each.name).join(", ")}`);
    }
  }
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds > 0)) {
    throw new UsageError(`--rounds must be a whole number of at least 1, not "${values.rounds}"`);
  }
  const runs = (runnable: Runnable) =>
    names.length === 0 ? runnable.broker === undefined : names.some((name) => standsFor(name, runnable));
  const words = values.contenders?.split(",").map((word) => word.trim().toLowerCase());
  checkContenders(words ?? [], all.filter(runs));
  return {
    runs,
    takes: ({ name }) => words === undefined || words.some((word) => has(name, word)),
    rounds: values.quick ? 1 : rounds,
    scale: values.quick ? QUICK : 1,
  };
}

export function usage(all: readonly Runnable[]): string {
  const width = Math.max(...all.map(({ name }) => name.length));
  const rows = all.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`);
  return `Usage: npm run bench -- [name ...] [options]

Measures the library side by side with others, prints tables and writes bench/results/<time>.json.

Names; "amqp" stands for all that begin with "amqp-". Without a name, all that need no broker:
${rows.join("\n")}

Options:
  --rounds <number>     rounds, one contender after the other in each; medians are compared (default: 5)
  --contenders <words>  only contenders whose names have one of these words, separated by commas; the others are
                        compared with the first that is left (default: all)
  --quick               one round with a fifth of the events, to see that all works (default: off)
  -h, --help            this

Example:
  npm run bench -- memory amqp-publish --rounds 9`;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: "string", default: "5" },
        contenders: { type: "string" },
        quick: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    // Its messages go on about how to pass a positional argument that begins with "-".
    throw new UsageError(error instanceof Error ? error.message.replace(/\. .*$/s, "") : String(error));
  }
}

function checkContenders(words: readonly string[], runnables: readonly Runnable[]): void {
  const names = [...new Set(runnables.flatMap(({ contenders = [] }) => contenders.map(({ name }) => name)))];
  const unknown = words.find((word) => !names.some((name) => has(name, word)));
  if (unknown !== undefined) {
    throw new UsageError(
      `no contender has "${unknown}" in its name; there are ${names.map((name) => `"${name}"`).join(", ")}`,
    );
  }
}

function standsFor(word: string, { name }: Runnable): boolean {
  return name === word || name.startsWith(`${word}-`);
}

function has(name: string, word: string): boolean {
  return name.toLowerCase().includes(word);
}
