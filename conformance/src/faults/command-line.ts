import { parseArgs } from "node:util";
import type { Target } from "./brokers/target.ts";
import { anythingKilled, canHappen, type Scenario } from "./scenarios/index.ts";

/** What a command line asks for. */
export interface Choice {
  /** By name. */
  readonly brokers: readonly string[];
  readonly scenarios: (broker: string) => readonly Scenario[];
  readonly events: number;
  /** How often each fault strikes at most; as often as the scenario says unless set. */
  readonly times: number | undefined;
  readonly write: boolean;
}

/** What can be asked for. */
interface Known {
  readonly targets: Readonly<Record<string, Target>>;
  readonly scenarios: readonly Scenario[];
}

/** A command line that asks for what there is not. */
export class UsageError extends Error {}

/**
 * What `args` ask for, or `help`.
 *
 * @throws UsageError
 */
export function readCommandLine(args: readonly string[], known: Known): Choice | "help" {
  const { values, positionals } = parsed(args);
  if (values.help) return "help";
  const brokers = positionals.filter((name) => Object.hasOwn(known.targets, name));
  const named = positionals.filter((name) => !Object.hasOwn(known.targets, name));
  if (brokers.length === 0) {
    const problem = named[0] === undefined ? "a broker is needed" : `"${named[0]}" is not a broker`;
    throw new UsageError(`${problem}; there are ${Object.keys(known.targets).join(", ")}`);
  }
  const long = longForm(values, named);
  const scenarios = (broker: string) =>
    long ?? scenariosOn(broker, known).filter(({ name }) => named.length === 0 || named.includes(name));
  for (const name of named) {
    const possible = [
      ...new Set(brokers.flatMap((broker) => scenariosOn(broker, known).map((scenario) => scenario.name))),
    ];
    if (!possible.includes(name)) {
      throw new UsageError(
        `unknown broker or scenario "${name}"; on ${brokers.join(", ")} there are ${possible.join(", ")}`,
      );
    }
  }
  return {
    brokers,
    scenarios,
    events: wholeNumber("--events", values.events),
    times: values.times === undefined ? undefined : wholeNumber("--times", values.times),
    write: values.write,
  };
}

export function usage(known: Known): string {
  const brokers = Object.keys(known.targets);
  const all = new Set(brokers.flatMap((broker) => scenariosOn(broker, known)));
  const width = Math.max(...[...all].map(({ name }) => name.length));
  const rows = [...all].map((scenario) => {
    const on = brokers.filter((broker) => scenariosOn(broker, known).includes(scenario));
    const only = on.length === brokers.length ? "" : `; on ${on.join(", ")} only`;
    return `  ${scenario.name.padEnd(width)}  ${String(scenario.times).padStart(2)} x ${scenario.what}${only}`;
  });
  return `Usage: npm run faults -- <broker> ... [scenario ...] [options]

Counts what faults under load lose and repeat, and prints tables. Ends with 1 if anything is lost.

Brokers:
  ${brokers.join("\n  ")}

Scenarios (default: all that the broker can have):
${rows.join("\n")}

Options:
  --events <number>  events that each scenario publishes (default: 20000)
  --times <number>   how often the fault strikes, at most as often as the scenario says (default: as it says)
  --kills <number>   the long form, in place of scenarios: so often anything is killed at random (default: off)
  --seed <number>    what chance decides by in the long form, printed with its counts (default: another each time)
  --write            puts the tables into docs/faults.md (default: off)
  -h, --help         this

A run repeats the order and the kinds of its kills by the seed; the moments are the machine's. A process tells what it did
line by line, so nothing is counted that it did not do; the counts of 1,000,000 events take 8 MB.

Examples:
  npm run faults -- rabbitmq-4.3 consumer-killed connections-cut --events 2000 --times 5
  npm run faults -- redis-8.6 kafka-4.4-cluster --events 200000 --kills 200 --seed 7 --write`;
}

/** What `--kills` asks for, in place of scenarios by name. */
function longForm(
  values: { readonly kills?: string | undefined; readonly seed?: string | undefined },
  named: readonly string[],
): readonly Scenario[] | undefined {
  if (values.kills === undefined) {
    if (values.seed !== undefined) throw new UsageError("--seed needs --kills");
    return undefined;
  }
  if (named[0] !== undefined) throw new UsageError(`--kills is no option of a scenario such as "${named[0]}"`);
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : wholeNumber("--seed", values.seed);
  return [anythingKilled(wholeNumber("--kills", values.kills), seed)];
}

function scenariosOn(broker: string, { targets, scenarios }: Known): readonly Scenario[] {
  const target = targets[broker];
  return target === undefined ? [] : scenarios.filter((scenario) => canHappen(scenario, target));
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        events: { type: "string", default: "20000" },
        times: { type: "string" },
        kills: { type: "string" },
        seed: { type: "string" },
        write: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    // Its messages go on about how to pass a positional argument that begins with "-".
    throw new UsageError(error instanceof Error ? error.message.replace(/\. .*$/s, "") : String(error));
  }
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) {
    throw new UsageError(`${option} must be a whole number of at least 1, not "${text}"`);
  }
  return number;
}
