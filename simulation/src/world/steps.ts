import { deadLetters } from "@papa-events/core";
import { operator } from "@papa-events/core/operator";
import { KILLED } from "../history/killed.ts";
import type { Step, StepKind } from "../plan/plan.ts";
import { owner } from "./owner.ts";
import type { World } from "./world.ts";

/** Has every step of the plan happen at its time. */
export function planSteps(world: World): void {
  const restarts = new Map<string, number>();
  for (const step of world.plan.steps) {
    if (step.do === "start") restarts.set(step.process, step.restart);
    world.scheduler.after(world.itself, step.at, () => act(world, step));
  }
  // Whoever looks after the processes starts again one that is gone.
  world.onGone = (gone) => {
    const name = gone.name.split("'")[0] ?? gone.name;
    // One that could not start is not hurried.
    const wait = Math.max(restarts.get(name) ?? 500, gone.process.dead ? 0 : 1_000);
    world.scheduler.after(world.itself, wait, () => {
      if (!world.finishing && world.instances.get(name) === gone) void world.start(name, gone.service, gone.version);
    });
  };
}

function act(world: World, step: Step): void {
  switch (step.do) {
    case "start": {
      const service = world.plan.services.find(({ name }) => name === step.service);
      if (service !== undefined) void world.start(step.process, service, step.version);
      return;
    }
    case "outage":
      outage(world, step.lasts);
      return;
    case "refuse":
      world.history.add({ kind: "refuses", what: step.what });
      world.weather.begin(step.what);
      world.scheduler.after(world.itself, step.lasts, () => {
        world.history.add({ kind: "refuses no longer", what: step.what });
        world.weather.end(step.what);
      });
      return;
    case "drop in":
      void world.broker.dropIn(step.events);
      return;
    case "forget scripts":
      world.broker.forget();
      return;
    case "pause use case":
      void pauseUseCase(world, step);
      return;
    case "redrive":
    case "purge":
      void operate(world, step);
      return;
    default:
      actOn(world, step);
  }
}

/** What happens to one process, if it lives. */
function actOn(world: World, step: Extract<StepKind, { readonly process: string }>): void {
  const instance = world.instances.get(step.process);
  if (instance === undefined || instance.process.dead) return;
  const { process } = instance;
  switch (step.do) {
    case "stop":
      void world.stop(instance, "plan");
      return;
    case "kill":
      world.kill(instance, KILLED);
      return;
    case "cut":
      world.setConnected(instance, false, step.silent === true);
      world.scheduler.after(world.itself, step.lasts, () => {
        if (!world.weather.outage) world.setConnected(instance, true);
      });
      return;
    case "pause":
      if (process.paused) return;
      world.history.add({ kind: "is paused", process: instance.name });
      process.pause();
      world.scheduler.after(world.itself, step.lasts, () => {
        if (!process.dead) world.history.add({ kind: "goes on", process: instance.name });
        process.resume();
      });
      return;
    case "skew":
      process.clockSkew += step.by;
      world.history.add({ kind: "clock jumps", process: instance.name, by: step.by });
      return;
    case "publish":
      if (!instance.running) return;
      if (step.together) world.publish(instance, step.events, true).catch(() => {});
      else for (const event of step.events) world.publish(instance, [event], false).catch(() => {});
  }
}

function outage(world: World, lasts: number): void {
  world.history.add({ kind: "outage" });
  world.weather.outage = true;
  for (const instance of world.instances.values()) world.setConnected(instance, false);
  world.scheduler.after(world.itself, lasts, () => {
    world.history.add({ kind: "outage ends" });
    world.weather.outage = false;
    for (const instance of world.instances.values()) world.setConnected(instance, true);
  });
}

/** Redrives or purges, with no app, as from the command line. */
async function operate(
  world: World,
  { do: what, useCase, what: which }: Extract<Step, { readonly do: "redrive" | "purge" }>,
): Promise<void> {
  const process = world.process("operator");
  await owner.run(process, async () => {
    const operator = deadLetters(world.broker.wayOf(process), useCase);
    try {
      const oldest = await operator.list({ order: "oldest", limit: 1 });
      const ids = which === "all" ? which : oldest.items.map(({ id }) => id);
      if (what === "redrive") await operator.redrive(ids);
      else await operator.purge(ids);
    } catch {
      // Nobody has declared the use case yet, or the broker is away.
    }
    await operator.close();
  });
}

async function pauseUseCase(
  world: World,
  { useCase, lasts }: Extract<Step, { readonly do: "pause use case" }>,
): Promise<void> {
  // What has been asked for may have been done, whatever is answered.
  world.paused.add(useCase);
  const paused = await asOperator(world, (ops) => ops.pause(useCase));
  if (paused && !world.finishing) world.history.add({ kind: "pauses", useCase });
  world.scheduler.after(world.itself, lasts, () => {
    if (!world.finishing) void resumeUseCase(world, useCase);
  });
}

/** @returns whether the broker has done it */
export function resumeUseCase(world: World, useCase: string): Promise<boolean> {
  world.history.add({ kind: "resumes", useCase });
  return asOperator(world, (ops) => ops.resume(useCase));
}

/** Acts with no app, as from the command line. @returns whether that worked */
function asOperator(world: World, act: (ops: ReturnType<typeof operator>) => Promise<void>): Promise<boolean> {
  const process = world.process("operator");
  world.operators += 1;
  return owner.run(process, async () => {
    const ops = operator(world.broker.wayOf(process), { logger: SILENT });
    try {
      await act(ops);
      return true;
    } catch {
      // Nobody has declared the use case yet, or the broker is away.
      return false;
    } finally {
      world.operators -= 1;
      await ops.close();
    }
  });
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
