import { currentEvent, DeadLetter, type EventContext, type HandlerResult, RetryAfter } from "@papa-events/core";
import type { Ending, EventNote } from "../history/entry.ts";
import type { Behaviour, EventPlan } from "../plan/plan.ts";
import type { AppProcess } from "./app-process.ts";
import { invalidOutput, thrownBy } from "./failures.ts";
import { outputOf } from "./payloads.ts";
import type { World } from "./world.ts";

/** Makes the handler of a use case: it does with each event what the event's plan says. */
export function handlerOf(world: World, instance: AppProcess, useCase: string) {
  return async (payload: unknown, context: EventContext): Promise<HandlerResult> => {
    const { history } = world;
    // What a dead process still had in hand within the same turn.
    if (instance.process.dead) return never();
    const { label } = payload as { readonly label: string };
    const call = world.nextCall();
    const process = instance.name;
    const event: EventNote = { id: context.id, label, name: context.eventName };
    const about = { process, useCase, call, event, attempt: context.attempt };
    history.add({ kind: "calls", ...about, headers: { ...context.headers } });
    const behaviour = behaviourNow(world, useCase, world.events.get(label));
    checkContext(world, context, "before");
    const end = (ending: Ending) => {
      if (!instance.process.dead) history.add({ kind: "ends", ...about, ending, clock: instance.clock });
    };
    try {
      const result = await behave(world, instance, context, label, behaviour);
      checkContext(world, context, "after");
      end(result.ending);
      return result.returns as HandlerResult;
    } catch (error) {
      end(endingOf(error));
      throw error;
    }
  };
}

/** H10: a handler sees the context of its own event, also after it has waited. */
function checkContext(world: World, context: EventContext, when: "before" | "after"): void {
  const seen = currentEvent();
  if (seen === context) return;
  const whose = seen === undefined ? "none" : `that of ${seen.id} in ${seen.useCase}`;
  world.goesWrong(
    `the handler of ${context.useCase} sees another context than its own ${when} it waits: ${whose}`,
    "H10",
  );
}

/** One for each call: a shared one would keep all that has ever waited for it. */
function never(): Promise<never> {
  return new Promise(() => {});
}

const RETURN: Behaviour = { does: "return", takes: 0, outputs: [] };

/** What it does this time: trouble that has happened so many times is over. */
function behaviourNow(world: World, useCase: string, event: EventPlan | undefined): Behaviour {
  const behaviour = event?.behaviours[useCase] ?? RETURN;
  if (event === undefined || !("times" in behaviour)) return behaviour;
  return world.countTrouble(useCase, event.label) <= behaviour.times ? behaviour : RETURN;
}

interface Result {
  readonly returns: unknown;
  readonly ending: Ending;
}

const NOTHING: Result = { returns: undefined, ending: { how: "returned", outputs: [] } };

async function behave(
  world: World,
  instance: AppProcess,
  context: EventContext,
  label: string,
  behaviour: Behaviour,
): Promise<Result> {
  if (behaviour.does === "hang") return hang(world, instance, context, behaviour);
  if (behaviour.takes > 0) await world.sleep(instance.process, behaviour.takes);
  switch (behaviour.does) {
    case "return":
      return {
        returns: behaviour.outputs.length === 0 ? undefined : behaviour.outputs.map(outputOf),
        ending: { how: "returned", outputs: behaviour.outputs.map((output) => output.label) },
      };
    case "publish": {
      const published = world.publish(instance, [behaviour.event], false);
      // A handler that cannot publish fails, as most do.
      if (behaviour.waits) await published;
      else published.catch(() => {});
      return NOTHING;
    }
    case "fail":
      throw thrownBy(behaviour.how, label);
    case "postpone":
      throw new RetryAfter(behaviour.delay);
    case "reject":
      throw new DeadLetter(`${label} is rejected`);
    case "return-invalid":
      return { returns: invalidOutput(behaviour.what, label), ending: { how: "returned-invalid" } };
    case "die":
      world.kill(instance, label);
      return never();
    case "stop":
      await world.stop(instance, "handler");
      return NOTHING;
  }
}

async function hang(
  world: World,
  { process }: AppProcess,
  { signal }: EventContext,
  { takes, onAbort }: Extract<Behaviour, { does: "hang" }>,
): Promise<Result> {
  const slept = world.sleep(process, takes);
  if (onAbort === "go on") await slept;
  else await Promise.race([slept, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
  if (onAbort === "throw" && signal.aborted) throw signal.reason;
  return NOTHING;
}

function endingOf(error: unknown): Ending {
  try {
    if (error instanceof DeadLetter) return { how: "rejected", message: error.message };
    if (error instanceof RetryAfter) return { how: "postponed", delay: error.delay };
    if (error instanceof Error) return { how: "threw", name: error.name, message: error.message };
  } catch {
    // It is hostile.
  }
  return { how: "threw", name: "", message: "" };
}
