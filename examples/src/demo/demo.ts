import { type Logger, PapaApp } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";
import { isInMemory, shownUrl, withOwnNamespace } from "./broker-url.ts";
import { differences, isComplete } from "./check.ts";
import { tourDeadLetters } from "./dead-letter-tour.ts";
import { expectedCounts } from "./expected.ts";
import { leftLines } from "./left-behind.ts";
import { bold, shownCount, shownTime, yellow } from "./look.ts";
import { tourAsOperator } from "./operator-tour.ts";
import type { DemoOptions } from "./options.ts";
import { showProgress } from "./progress.ts";
import { replay } from "./replay.ts";
import { Run } from "./run.ts";
import { deadLines, harvestLines, summaryLines } from "./summary.ts";
import { Tally } from "./tally.ts";
import { until } from "./until.ts";
import { demoUseCases, Outside } from "./use-cases/index.ts";
import { readWebhooks } from "./webhooks.ts";

const print = (line = "") => console.log(line);

/** The whole demo; gives the exit code. */
export async function demo({ broker, speed, repeat }: DemoOptions, signal: AbortSignal): Promise<number> {
  const url = withOwnNamespace(broker);
  const webhooks = readWebhooks();
  const outside = new Outside();
  const useCases = demoUseCases(outside);
  const run = new Run();
  const tally = new Tally(
    run,
    useCases.map(({ name }) => name),
  );
  const expected = expectedCounts(webhooks, repeat);
  let note: (line: string) => void = print;

  const transport = transportFromUri(url);
  await using app = new PapaApp({
    transport,
    name: "papa-events-demo",
    logger: loggerTo((line) => note(line)),
    ...tally.hooks,
  });
  app.use(useCases);
  const toPublish = webhooks.length * repeat;
  print(bold("Papa Events, replaying real GitHub webhooks"));
  print(`  ${shownCount(toPublish)} deliveries, ${useCases.length} use cases, on ${shownUrl(url)}`);
  print();
  await app.start();

  let published = 0;
  const start = performance.now();
  const standing = () => {
    return { published, toPublish, elapsed: performance.now() - start, expected, counts: tally.counts };
  };
  const progress = showProgress(process.stdout, standing);
  note = (line) => progress.note(line);
  try {
    const onPublished = (total: number) => (published = total);
    await replay({ app, run, webhooks, repeat, speed, signal, onPublished });
    const isDone = async () => isComplete(expected, tally.counts) && (await isDrained(app));
    if (!(await until({ condition: isDone, progress: () => tally.progress, signal }))) {
      note(yellow("Nothing more has come for a while; this is what there is."));
    }
  } finally {
    progress.stop();
    note = print;
  }

  const problems = differences(expected, tally.counts);
  print();
  print(bold(`What came of it, after ${shownTime(performance.now() - start)}`));
  for (const line of summaryLines({ tally, expected, problems })) print(line);
  print();
  print(bold("Dead letters"));
  for (const line of deadLines(tally)) print(line);
  if (problems.length > 0) return 1;
  print();
  print(bold("What they did"));
  for (const line of harvestLines(outside)) print(line);
  print();
  await tourDeadLetters({ app, run, outside, signal, print });
  print();
  if (isInMemory(url)) await tourAsOperator({ transport, outside, signal, print });
  else for (const line of leftLines(url)) print(line);
  return 0;
}

/** Whether no event is ready, being handled or waiting for a retry: one too many would still come. */
async function isDrained(app: PapaApp): Promise<boolean> {
  const stats = Object.values(await app.stats());
  return stats.every(({ ready, inFlight, waiting }) => ready + inFlight + waiting === 0);
}

/** Warnings and errors as notes, but for retries and dead letters, which are part of the demo. */
function loggerTo(note: (line: string) => void): Logger {
  const log = (about: object, message = "") => {
    if ("attempt" in about) return;
    const cause = "err" in about && about.err instanceof Error ? `: ${about.err.message}` : "";
    note(yellow(`${message}${cause}`));
  };
  return { debug: () => {}, info: () => {}, warn: log, error: log };
}
