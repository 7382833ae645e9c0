import type { Entry } from "../history/entry.ts";
import type { Plan } from "../plan/plan.ts";
import { leaked, realResources } from "../sealed/leaks.ts";
import { setStage } from "../sealed/stage.ts";
import { finish } from "./finish.ts";
import { owner } from "./owner.ts";
import { planSteps } from "./steps.ts";
import { World } from "./world.ts";

/** So many tasks no run of ours needs that ends. */
const MAX_TASKS = 200_000;

/** What a run comes to. */
export interface Run {
  readonly entries: readonly Entry[];
  /** How many tasks have run. */
  readonly tasks: number;
}

/** Runs a plan. In a sealed thread only, one run at a time. @param logs whether log lines are part of the history */
export async function runPlan(plan: Plan, logs = false): Promise<Run> {
  const world = new World(plan, logs);
  const { scheduler } = world;
  const { stackTraceLimit } = Error;
  // Stacks hold paths of this machine, and what the compiler has made of the code by now.
  Error.stackTraceLimit = 0;
  const chance = world.random.fork("Math.random");
  const timers = world.process("timers of no process");
  const before = realResources();
  const unhandled = (error: unknown) => world.goesWrong(`nobody handled ${String(error)}`);
  process.on("unhandledRejection", unhandled);
  setStage({
    now: () => scheduler.now,
    random: () => chance.next(),
    after: (delay, run, background) => scheduler.after(owner.getStore() ?? timers, delay, run, background),
    touched: (what) => world.goesWrong(`the real world was touched: ${what}`),
  });
  try {
    planSteps(world);
    const last = plan.steps.at(-1)?.at ?? 0;
    await scheduler.runTo(scheduler.now + last + 1, MAX_TASKS);
    await finish(world, MAX_TASKS);
    for (const kind of leaked(before)) world.goesWrong(`the real event loop has got a ${kind} more`);
  } finally {
    setStage(undefined);
    Error.stackTraceLimit = stackTraceLimit;
    process.off("unhandledRejection", unhandled);
  }
  return { entries: world.history.entries, tasks: scheduler.ran };
}
