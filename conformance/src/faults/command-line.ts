import { parseArgs } from "node:util";
import type { Scenario } from "./scenarios.ts";
import type { Target } from "./targets.ts";

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
  /** Those of every broker; a target has its own besides. */
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
  const scenarios = (broker: string) =>
    scenariosOn(broker, known).filter(({ name }) => named.length === 0 || named.includes(name));
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
  --write            puts the tables into docs/faults.md (default: off)
  -h, --help         this

Example:
  npm run faults -- rabbitmq-4.0 consumer-killed connections-cut --events 2000 --times 5`;
}

function scenariosOn(broker: string, { targets, scenarios }: Known): readonly Scenario[] {
  const { clustered = false, scenarios: own = [] } = targets[broker] ?? {};
  return [...scenarios.filter((scenario) => clustered || scenario.clustered !== true), ...own];
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        events: { type: "string", default: "20000" },
        times: { type: "string" },
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
