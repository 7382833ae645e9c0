import type { Finding } from "@papa-events/core/transport";
import { lookAtUseCase } from "../../scripts/look-at-use-case.ts";
import { GROUP } from "../../wire/keys.ts";
import type { DiagnosisOptions } from "../diagnose.ts";
import { keyFindings } from "./namespace.ts";

/** How long an event may be due and not back in its queue. */
const MAX_OVERDUE_MS = 15_000;
/** How many use cases are looked at at once. */
const AT_ONCE = 16;

/** What is to be said of each use case, besides what the core says of any. */
export async function useCaseFindings(
  useCases: readonly string[],
  options: DiagnosisOptions,
): Promise<readonly Finding[]> {
  const { keys, connection } = options;
  const [bound, paused] = await Promise.all([
    connection.client.hkeys(keys.bindings),
    connection.client.hkeys(keys.paused),
  ]);
  const boundUseCases = new Set(bound.map((binding) => binding.slice(0, binding.indexOf(" "))));
  const findings: Finding[] = [];
  for (let from = 0; from < useCases.length; from += AT_ONCE) {
    const found = await Promise.all(
      useCases.slice(from, from + AT_ONCE).map((useCase) => {
        const facts = { isBound: boundUseCases.has(useCase), isPaused: paused.includes(useCase) };
        return findingsOf(useCase, facts, options);
      }),
    );
    findings.push(...found.flat());
  }
  return findings;
}

interface Facts {
  readonly isBound: boolean;
  readonly isPaused: boolean;
}

async function findingsOf(useCase: string, facts: Facts, options: DiagnosisOptions): Promise<readonly Finding[]> {
  const { keys, connection } = options;
  const { queue, leases, due, waiting, dead, deadOrder, trials } = keys.forUseCase(useCase);
  const wrong = await keyFindings(
    [
      [queue, "stream"],
      [leases, "zset"],
      [due, "zset"],
      [waiting, "hash"],
      [dead, "hash"],
      [deadOrder, "zset"],
      [trials, "hash"],
    ],
    options,
  );
  // Where one is of another type, nothing can be counted.
  if (wrong.some(({ what }) => what.includes("must be a"))) return wrong;
  const counts = (await connection.run(lookAtUseCase, [queue, leases, due, trials], [GROUP])) as Counts;
  return [...wrong, ...ofEvents(useCase, queue, counts, facts)];
}

/** As the script says. */
type Counts = readonly [
  isThere: number,
  living: number,
  queued: number,
  waiting: number,
  overdue: number,
  suspects: number,
  groups: number,
];

function* ofEvents(useCase: string, queue: string, counts: Counts, facts: Facts): Generator<Finding> {
  const [isThere, living, queued, waiting, overdue, suspects, groups] = counts;
  const { isBound, isPaused } = facts;
  if (isBound && isThere === 0)
    yield {
      severity: "warning",
      what: `use case "${useCase}": its queue ${queue} or the queue's group is missing`,
      why: "Somebody has deleted it, with what was in it. What is published from now on is kept.",
      remedy: "Start an app that declares it, which makes it again.",
    };
  const held = queued + waiting;
  if (held > 0 && living === 0 && !isPaused)
    yield {
      severity: "warning",
      what: `use case "${useCase}": no instance handles its ${held} events`,
      why: "They wait until an app that declares it runs, and take memory of the server.",
      remedy: `Start its app, or remove it: papa remove ${useCase}`,
    };
  if (!isBound && held > 0)
    yield {
      severity: "warning",
      what: `use case "${useCase}": it has ${held} events and no pattern`,
      why: "Its patterns were withdrawn. It gets no new events.",
      remedy: `Start its app, or remove it: papa remove ${useCase}`,
    };
  if (overdue > MAX_OVERDUE_MS && living > 0)
    yield {
      severity: "warning",
      what: `use case "${useCase}": a retry is late by ${Math.round(overdue / 1_000)} s`,
      why: "Instances are there, and do not put it back into the queue.",
      remedy: "Look at the health and the logs of its apps.",
    };
  if (suspects > 0)
    yield {
      severity: "warning",
      what: `use case "${useCase}": ${suspects} of its events came back more than once from apps that died`,
      why: "One of them may end its process each time it is handled; after crashLimit such deaths it is a dead letter.",
      remedy: "Look at the log of the app that handles it.",
    };
  if (groups > isThere)
    yield {
      severity: "warning",
      what: `queue ${queue}: another group than "${GROUP}" reads it`,
      why: "An event is deleted when this use case has handled it, whether the other has read it or not.",
      remedy: `Let the other program use the patterns of a use case of its own. XINFO GROUPS ${queue} names its group.`,
    };
}
