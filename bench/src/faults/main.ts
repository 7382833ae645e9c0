// npm run faults [-- brokers and scenarios ... --events n]: what is lost and what comes twice when things go wrong, counted.
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Broker, kafka, rabbitmq, redis } from "@papa-events/conformance/brokers";
import { Field } from "./field.ts";
import { scenarios } from "./scenarios.ts";

const brokers: Readonly<Record<string, () => Promise<Broker>>> = {
  "rabbitmq-3.10": () => rabbitmq("3.10"),
  "rabbitmq-4.0": () => rabbitmq("4.0"),
  "redis-7.0": () => redis("7.0"),
  "redis-8.0": () => redis("8.0"),
  "kafka-3.9": () => kafka("3.9"),
  "kafka-4.1": () => kafka("4.1"),
  "valkey-8.1": () => redis("valkey-8.1"),
};
/** Some brokers save what has just been declared a moment later; see `docs/brokers`. */
const BEFORE_FAULTS = 1_500;
/** How long nothing may be handled before what is missing is lost. */
const PATIENCE = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { events: { type: "string", default: "20000" } },
});
const unknown = positionals.filter((word) => !(word in brokers) && !(word in scenarios));
const events = Number(values.events);
if (unknown.length > 0 || !(Number.isInteger(events) && events > 0)) {
  const known = [...Object.keys(brokers), ...Object.keys(scenarios)].map((word) => `"${word}"`).join(", ");
  console.error(unknown.length > 0 ? `${unknown} is none of ${known}` : "--events is a whole number of at least 1");
  process.exit(2);
}
const chosen = (all: object) => {
  const some = Object.keys(all).filter((word) => positionals.includes(word));
  return some.length > 0 ? some : Object.keys(all);
};

console.log(`${events} events, 1,000 a second; each fiftieth fails once; the handler of each publishes another\n`);
console.log("broker         scenario          faults  confirmed  lost  twice  outputs twice  publisher, MB  seconds");
let lost = 0;
for (const name of chosen(brokers)) for (const scenario of chosen(scenarios)) lost += await run(name, scenario);
process.exit(lost === 0 ? 0 : 1);

async function run(name: string, scenario: string): Promise<number> {
  const broker = await brokers[name]?.();
  const act = scenarios[scenario];
  if (broker === undefined || act === undefined) throw new Error(`no ${name} or no ${scenario}`);
  const field = new Field(broker, await broker.proxy(), events);
  const begun = performance.now();
  try {
    await field.startConsumer();
    await pause(BEFORE_FAULTS);
    field.startPublisher();
    const faults = await act(field);
    await field.published();
    await allHandled(field);
    const { counts } = field;
    const { confirmed, duplicates, memory } = counts;
    const seconds = Math.round((performance.now() - begun) / 1_000);
    const figures = [
      faults,
      confirmed,
      counts.lost,
      duplicates.handled,
      duplicates.outputs,
      Math.round(memory / 1e6),
      seconds,
    ];
    const widths = [6, 9, 4, 5, 13, 13, 7];
    const row = figures.map((figure, index) => String(figure).padStart(widths[index] ?? 0)).join("  ");
    console.log(`${name.padEnd(13)}  ${scenario.padEnd(16)}  ${row}`);
    return counts.lost;
  } finally {
    await field.end();
    await broker.stop();
  }
}

async function allHandled({ counts }: Field): Promise<void> {
  let last = counts.lost;
  let since = performance.now();
  while (counts.lost > 0 && performance.now() - since < PATIENCE) {
    await pause(100);
    if (counts.lost !== last) since = performance.now();
    last = counts.lost;
  }
}
