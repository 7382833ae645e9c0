import { explain } from "./explain.ts";
import type { Answer, Failure, Request } from "./messages.ts";
import { trySeed } from "./run-seed.ts";

/** Of so many seeds one is run twice. */
const TWICE_EVERY = 100;

/** Does what a thread is asked for. */
export async function answer(request: Request): Promise<Answer> {
  if (request.kind === "explain") return { kind: "explained", ...(await explain(request.seed, request.options)) };
  const failures: Failure[] = [];
  let seeds = 0;
  let tasks = 0;
  for (let seed = request.from; seed <= request.to; seed += 1) {
    const result = await trySeed(seed, request.broker, seed % TWICE_EVERY === 0);
    tasks += result.tasks;
    const [first] = result.violations;
    seeds += 1;
    if (first === undefined) continue;
    failures.push({ seed, rule: first.rule, what: first.what });
    if (!request.all) break;
  }
  return { kind: "ran", seeds, tasks, failures };
}
