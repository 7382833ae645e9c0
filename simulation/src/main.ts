import { HELP, type Options, readOptions } from "./command-line.ts";
import type { BrokerKind } from "./plan/plan.ts";
import { plantedFaults } from "./planted/faults.ts";
import type { PlantedFault } from "./planted/planted-fault.ts";
import { explainSeed, type Progress, search } from "./seeds/pool.ts";

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  let fault: PlantedFault | undefined;
  try {
    options = readOptions(process.argv.slice(2));
    fault = options.fault === undefined ? undefined : faultCalled(options.fault);
  } catch (error) {
    console.error(`simulate: ${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  // A fault of one transport shows nowhere else.
  const broker = fault?.broker ?? options.broker;
  if (options.seed !== undefined) return explain(options.seed, broker, fault, options.history);
  return searchFor({ ...options, broker }, fault);
}

async function searchFor(options: Options, fault: PlantedFault | undefined): Promise<number> {
  const { broker, from, to, minutes, threads, all } = options;
  const begun = performance.now();
  const mayGoOn = () => minutes === undefined || performance.now() - begun < minutes * 60_000;
  const { seeds, tasks, failures } = await search({
    broker,
    from,
    to,
    threads,
    fault,
    all,
    mayGoOn,
    onProgress: showProgress(begun),
  });
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  console.log(`${seeds} seeds from ${from} on, ${tasks} tasks, ${seconds} s: ${failures.length} fail.`);
  for (const { seed, rule, what } of failures) console.log(`  seed ${seed}  ${rule}  ${what}`);
  const [first] = failures;
  return first === undefined ? 0 : explain(first.seed, broker, fault, false);
}

async function explain(
  seed: number,
  broker: BrokerKind,
  fault: PlantedFault | undefined,
  history: boolean,
): Promise<number> {
  const { failed, text } = await explainSeed(seed, broker, fault, history);
  console.log(`\n${text}`);
  return failed ? 1 : 0;
}

/** Says now and then how far it is, where somebody looks on. */
function showProgress(begun: number): ((progress: Progress) => void) | undefined {
  if (!process.stderr.isTTY) return undefined;
  return ({ seeds, failures }) => {
    const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
    process.stderr.write(`\r${seeds} seeds, ${failures.length} fail, ${seconds} s `);
  };
}

function faultCalled(name: string): PlantedFault {
  const fault = plantedFaults.find((each) => each.name === name);
  if (fault !== undefined) return fault;
  throw new Error(
    `There is no planted fault "${name}"; there are:\n${plantedFaults.map((each) => `  ${each.name}`).join("\n")}`,
  );
}
