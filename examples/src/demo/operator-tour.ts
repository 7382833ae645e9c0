import type { Transport } from "@papa-events/core";
import { operator, type UseCaseInfo } from "@papa-events/core/operator";
import { bold, cut, dim, shownCount, tableLines } from "./look.ts";
import { until } from "./until.ts";
import type { Outside } from "./use-cases/index.ts";

const USE_CASE = "count_contributors";
/** What GitHub shows where an account is gone. */
const SENDER = { login: "ghost" };
/** How much of a long value is shown. */
const WIDTH = 74;

export interface OperatorTour {
  readonly transport: Transport;
  readonly outside: Outside;
  readonly signal: AbortSignal;
  readonly print: (line?: string) => void;
}

/** Shows what an operator sees and does, with nothing but the broker: looks, searches, mends and sends back. */
export async function tourAsOperator({ transport, outside, signal, print }: OperatorTour): Promise<void> {
  await using ops = operator(transport);
  print(bold("The operator's side: it needs the broker only, no app, and no code (papa)"));
  print(dim("  await ops.useCases()"));
  for (const line of useCaseLines(await ops.useCases())) print(line);

  const letters = ops.deadLetters(USE_CASE);
  const where = { reason: "invalid-payload", text: "sender" } as const;
  print(dim(`  ops.deadLetters("${USE_CASE}").search({ text: "sender" })`));
  const names = new Set<string>();
  for await (const { eventName } of letters.search(where)) names.add(eventName);
  print(cut(`  found    ${[...names].join(", ")}`, WIDTH));

  print(dim("  .redrive({ where }, { payload: ({ payload }) => ({ ...payload, sender }) })"));
  const redriven = await letters.redrive(
    { where },
    { payload: ({ payload }) => ({ ...(payload as object), sender: SENDER }) },
  );
  const counted = () => outside.deliveriesOf.get(SENDER.login) ?? 0;
  if (!(await until({ condition: () => counted() >= redriven, progress: counted, signal })))
    throw new Error(`Of ${redriven} mended events ${counted()} were handled.`);
  print(`  mended   ${shownCount(redriven)} events, handled with the sender they lacked`);
  print(`  left     ${shownCount(await letters.count())} dead letters of ${USE_CASE}`);
}

function useCaseLines(useCases: readonly UseCaseInfo[]): readonly string[] {
  const rows = useCases.map(({ name, patterns, stats }) => [
    name,
    shownCount(stats.ready + stats.inFlight),
    shownCount(stats.waiting),
    shownCount(stats.dead),
    cut(patterns.join(", "), 24),
  ]);
  const header = ["use case", "ready", "waiting", "dead", "patterns"];
  const [head = "", ...body] = tableLines([header, ...rows], ["left", "right", "right", "right", "left"]);
  return [dim(head), ...body];
}
