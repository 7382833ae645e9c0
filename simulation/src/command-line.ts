import { parseArgs } from "node:util";
import type { BrokerKind } from "./plan/plan.ts";

export const HELP = `Runs the core and a transport against a model, in virtual time, from seeds.

  npm run simulate                      seeds 1 to 10,000
  npm run simulate -- --seeds 2000      the first 2,000
  npm run simulate -- --from 5001       10,000 seeds from there
  npm run simulate -- --seed 4711       one seed; where it fails it is made small and told step by step
  npm run simulate -- --minutes 60      new seeds for so long

  --broker NAME  over which transport: memory (unless set) or redis
  --threads N    2 unless set
  --all          goes on after a failure, and lists all seeds that fail
  --history      with --seed: tells what happens also where nothing fails
  --fault NAME   puts a planted fault into the code first (simulation/src/planted/)
`;

/** What the command line asks for. */
export interface Options {
  readonly help: boolean;
  readonly broker: BrokerKind;
  readonly seed: number | undefined;
  readonly from: number;
  readonly to: number;
  readonly minutes: number | undefined;
  readonly threads: number;
  readonly all: boolean;
  readonly history: boolean;
  readonly fault: string | undefined;
}

const SEEDS = 10_000;
/** Where the new seeds of `--minutes` are drawn from. */
const MAX_SEED = 2 ** 31;

/** @throws Error that says what is wrong */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      broker: { type: "string", default: "memory" },
      seed: { type: "string" },
      seeds: { type: "string" },
      from: { type: "string" },
      minutes: { type: "string" },
      threads: { type: "string" },
      all: { type: "boolean", default: false },
      history: { type: "boolean", default: false },
      fault: { type: "string" },
    },
  });
  const minutes = values.minutes === undefined ? undefined : positive("minutes", values.minutes);
  const from = whole("from", values.from, minutes === undefined ? 1 : Math.floor(Math.random() * MAX_SEED));
  const seeds = whole("seeds", values.seeds, minutes === undefined ? SEEDS : MAX_SEED);
  return {
    help: values.help,
    broker: brokerCalled(values.broker),
    seed: values.seed === undefined ? undefined : whole("seed", values.seed, 0),
    from,
    to: from + seeds - 1,
    minutes,
    threads: whole("threads", values.threads, 2),
    all: values.all,
    history: values.history,
    fault: values.fault,
  };
}

function brokerCalled(name: string): BrokerKind {
  if (name === "memory" || name === "redis") return name;
  throw new Error(`--broker ${name}: it is memory or redis.`);
}

function whole(option: string, text: string | undefined, unset: number): number {
  if (text === undefined) return unset;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`--${option} ${text}: a whole number of at least 1 is needed.`);
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${option} ${text}: a number above 0 is needed.`);
}
