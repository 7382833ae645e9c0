import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Broker, kafka, rabbitmq, redis } from "@papa-events/conformance/brokers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Step, stepsOf, withPrinted } from "./page.ts";
import { comparable, presentable } from "./printed.ts";
import { Shell } from "./shell.ts";
import { Site } from "./site.ts";
import { situations } from "./situations/index.ts";

/** Fetching a broker for the first time takes minutes. */
const FETCHING_MS = 600_000;
const PAGE_MS = 180_000;
const FOLDER = new URL("../../../docs/operate/", import.meta.url);
/** Whether what the commands print is written into the pages, rather than compared with them. */
const WRITES = process.env.WRITE_RUNBOOK !== undefined;
const UPDATE = "a page says otherwise; WRITE_RUNBOOK=1 vitest run --project examples operate writes it anew";

const SYMPTOMS = Object.keys(situations);
/** Those that wake people up most. */
const FREQUENT = ["dead-letters-grow", "use-case-stands-still", "after-a-bad-deploy"];
/** What is caused by a setting of Redis, or by a proxy that a Kafka's advertised address would lead around. */
const NOT_ON = { rabbitmq: ["broker-is-full"], kafka: ["broker-is-full", "lost-connection"] } as const;

/** Every symptom on one broker, and the frequent ones on the others unless all is to be tested. */
function symptomsOn(kind: keyof typeof NOT_ON): readonly string[] {
  if (process.env.PAPA_EVENTS_ALL_VERSIONS === undefined) return FREQUENT;
  const not: readonly string[] = NOT_ON[kind];
  return SYMPTOMS.filter((symptom) => !not.includes(symptom));
}

const BROKERS = [
  { kind: "redis", start: () => redis("7.0"), symptoms: SYMPTOMS, isPrinted: true },
  { kind: "rabbitmq", start: () => rabbitmq("4.3"), symptoms: symptomsOn("rabbitmq"), isPrinted: false },
  { kind: "kafka", start: () => kafka("4.4"), symptoms: symptomsOn("kafka"), isPrinted: false },
];

it("there is a situation for each page that has commands to run, and the index leads to each", () => {
  const pages = readdirSync(FOLDER).filter((name) => name.endsWith(".md"));
  const run = pages.filter((name) => stepsOf(pageOf(name)).length > 0);
  expect(run.map((name) => name.replace(".md", "")).toSorted()).toEqual(SYMPTOMS.toSorted());
  const index = pageOf("README.md");
  expect(pages.filter((name) => name !== "README.md" && !index.includes(`(${name}`))).toEqual([]);
});

describe.each(BROKERS)("the runbook on $kind", ({ kind, start, symptoms, isPrinted }) => {
  let broker: Broker;
  let failed = false;

  beforeAll(async () => {
    broker = await start();
  }, FETCHING_MS);

  afterAll(() => broker?.stop(failed));

  it.each(symptoms)("%s", { timeout: PAGE_MS }, async (symptom) => {
    failed = true;
    const page = pageOf(`${symptom}.md`);
    const site = new Site(broker, `runbook-${kind}-${symptom}`.slice(0, 30));
    try {
      const printed = await follow(symptom, stepsOf(page), site, isPrinted && !WRITES);
      if (isPrinted && WRITES) writeFileSync(new URL(`${symptom}.md`, FOLDER), withPrinted(page, printed));
    } finally {
      await site.close();
    }
    failed = false;
  });
});

/** Does what a page says, and gives what its commands printed. */
async function follow(symptom: string, steps: readonly Step[], site: Site, compares: boolean): Promise<string[]> {
  const shell = new Shell();
  site.afterwards(async () => shell.remove());
  const situation = await situations[symptom]?.(site, shell);
  if (situation === undefined) throw new Error(`nothing causes ${symptom}`);
  const all: string[] = [];
  let id = "";
  for (const step of steps) {
    if (step.kind === "meanwhile") {
      const happens = situation.meanwhile?.[step.what];
      if (happens === undefined) throw new Error(`${symptom}: nothing is known of "${step.what}"`);
      await happens();
      continue;
    }
    const { code, output } = await shell.run(step.script, { PAPA_BROKER_URL: site.url, ID: id });
    if (code !== step.exit) throw new Error(`It exits with ${code}: ${step.script}${output}`);
    const printed = presentable(output, site.url);
    // What the page has the operator copy out of what was printed.
    id = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(output)?.[0] ?? id;
    if (compares && step.printed !== undefined) {
      const compared = comparable(step.printed, printed, step.roughly);
      expect(compared.printed, UPDATE).toEqual(compared.said);
    }
    all.push(printed);
  }
  await situation.healthy();
  return all;
}

function pageOf(name: string): string {
  return readFileSync(new URL(name, FOLDER), "utf8");
}
