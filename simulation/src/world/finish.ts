import { deadLetters } from "@papa-events/core";
import { KILLED } from "../history/killed.ts";
import { useCasesOf } from "../plan/make-plan.ts";
import type { AppProcess } from "./app-process.ts";
import { owner } from "./owner.ts";
import { resumeUseCase } from "./steps.ts";
import type { World } from "./world.ts";

/** How long is waited for everything to be handled, beyond what declarations that nobody has any more are kept. */
const MAX_FINISH_MS = 3_600_000;
/** How long an app may take to stop, whatever its drain timeout. */
const MAX_STOP_MS = 60_000;
/** How long an app may be unhealthy after everything works again: until its next look, or the longest wait before one. */
const MAX_RECOVERY_MS = 120_000;
const LOOK_EVERY_MS = 1_000;
/** How long nothing may be to do, before a run counts as over. */
const REST_MS = 3_000;

/**
 * Ends a run: all that is broken works again, those that are left go, the last versions of all services start and handle
 * what is left. Then everything is counted.
 */
export async function finish(world: World, maxTasks: number): Promise<void> {
  const { scheduler, history, weather } = world;
  history.add({ kind: "finish" });
  world.finishing = true;
  weather.clear();
  for (const instance of world.instances.values()) {
    if (instance.process.paused) history.add({ kind: "goes on", process: instance.name });
    instance.process.resume();
    world.setConnected(instance, true);
  }
  const { before } = world.plan.finish;
  for (const instance of world.instances.values()) {
    if (before === "stop") void world.stop(instance, "finish");
    if (before === "kill") world.kill(instance, KILLED);
  }
  if (before === "stop") await scheduler.runTo(scheduler.now + MAX_STOP_MS, maxTasks);

  await resumeAll(world, maxTasks);
  const rested = await handleTheRest(world, maxTasks);
  if (rested) history.add({ kind: "rests" });
  else history.add({ kind: "does not rest", why: scheduler.ran >= maxTasks ? "it goes on and on" : "it waits" });
  await recover(world, maxTasks);
  await count(world, maxTasks);
  await leave(world, maxTasks);
}

/** Whatever operators have paused goes on. */
async function resumeAll(world: World, maxTasks: number): Promise<void> {
  const { scheduler, paused, broker } = world;
  const deadline = scheduler.now + MAX_STOP_MS;
  // A pause that is on its way would come after its end.
  await scheduler.runTo(deadline, maxTasks, () => world.operators === 0);
  for (const useCase of paused) {
    // One that nobody has declared is not paused either.
    let goesOn = (await broker.inspect(useCase)) === undefined;
    while (!goesOn && scheduler.now < deadline) {
      let answered = false;
      void resumeUseCase(world, useCase).then((resumed) => {
        goesOn = resumed;
        answered = true;
      });
      await scheduler.runTo(scheduler.now + MAX_STOP_MS, maxTasks, () => answered);
    }
  }
}

/** Gives the apps time to be healthy again, and notes whether they are (L6). */
async function recover(world: World, maxTasks: number): Promise<void> {
  const { scheduler, history } = world;
  const running = living(world).filter(({ started, stopping }) => started && !stopping);
  const healthy = () => running.every(({ app, process }) => process.dead || app.health().healthy);
  const deadline = scheduler.now + MAX_RECOVERY_MS;
  while (!healthy() && scheduler.now < deadline) await scheduler.runTo(scheduler.now + LOOK_EVERY_MS, maxTasks);
  for (const { name, app, process } of running) {
    if (process.dead) continue;
    const { healthy, reasons } = app.health();
    history.add({ kind: "health", process: name, healthy, reasons: reasons.map(({ message }) => message) });
  }
}

/** Keeps one instance of each wanted version alive until nothing is left to do. */
async function handleTheRest(world: World, maxTasks: number): Promise<boolean> {
  const { scheduler, plan } = world;
  const grace = Math.max(...plan.services.map(({ settings }) => settings.declarationGrace));
  const deadline = scheduler.now + MAX_FINISH_MS + 2 * grace;
  let quietSince: number | undefined;
  while (scheduler.now < deadline && scheduler.ran < maxTasks) {
    keepAlive(world);
    await scheduler.runTo(scheduler.now + LOOK_EVERY_MS, maxTasks);
    if (!(await isQuiet(world))) quietSince = undefined;
    else if (scheduler.now - (quietSince ??= scheduler.now) >= REST_MS) return true;
  }
  return false;
}

function keepAlive(world: World): void {
  for (const service of world.plan.services) {
    const newest = service.versions.length - 1;
    for (const version of service.versions.keys()) {
      if (version !== newest && world.plan.finish.versions === "newest") continue;
      const alive = [...world.instances.values()].some(
        (each) =>
          each.name.startsWith("last") &&
          each.service === service &&
          each.version === version &&
          !each.process.dead &&
          !each.stopping,
      );
      if (!alive) void world.start(`last-${service.name}-v${version + 1}`, service, version);
    }
  }
}

/** Whether nothing is ready, in flight or waiting where somebody is there to handle it, and nobody waits for an answer. */
async function isQuiet(world: World): Promise<boolean> {
  for (const { instance } of world.asked) if (!instance.process.dead) return false;
  if (world.broker.holdsMore) return false;
  const handled = new Set(
    living(world).flatMap(({ started, stopping, notes }) =>
      started && !stopping ? notes.map(({ name }) => name) : [],
    ),
  );
  for (const useCase of handled) {
    const held = await world.broker.inspect(useCase);
    if (held !== undefined && held.ready + held.inFlight + held.waiting > 0) return false;
  }
  return true;
}

/** What the broker holds, and what its dead letters say. */
async function count(world: World, maxTasks: number): Promise<void> {
  const { scheduler, history } = world;
  const operator = world.process("operator");
  const transport = world.broker.wayOf(operator);
  const listed = owner.run(operator, async () => {
    for (const useCase of useCasesOf(world.plan.services)) {
      const queue = await world.broker.inspect(useCase);
      if (queue === undefined) continue;
      history.add({ kind: "holds", useCase, queue });
      const store = deadLetters(transport, useCase);
      history.add({ kind: "lists", useCase, letters: await listAll(store) });
      await store.close();
    }
  });
  let done = false;
  listed.then(
    () => (done = true),
    (error: unknown) => world.goesWrong(`the dead letters could not be listed: ${String(error)}`),
  );
  await scheduler.runTo(scheduler.now + MAX_STOP_MS, maxTasks, () => done);
}

type Store = ReturnType<typeof deadLetters>;

async function listAll(store: Store) {
  const letters = [];
  let after: string | undefined;
  do {
    const page = await store.list({ order: "oldest", limit: 7, after });
    for (const item of page.items) {
      letters.push({
        letter: item.id,
        id: item.eventId,
        name: item.eventName,
        reason: item.reason,
        attempts: item.attempts,
        body: Buffer.from(item.body).toString(),
        headers: { ...item.headers },
        error: { name: item.error.name, message: item.error.message },
        firstFailedAt: item.firstFailedAt.getTime(),
        lastFailedAt: item.lastFailedAt.getTime(),
      });
    }
    after = page.next;
  } while (after !== undefined);
  return letters;
}

/** Stops everything; afterwards nothing may be left to do. */
async function leave(world: World, maxTasks: number): Promise<void> {
  const { scheduler } = world;
  for (const instance of living(world)) void world.stop(instance, "finish");
  const enough = scheduler.ran + maxTasks;
  await scheduler.runTo(scheduler.now + MAX_FINISH_MS, enough, () => scheduler.idle);
  if (!scheduler.idle)
    world.goesWrong(`something is still to do an hour after all apps have stopped: ${scheduler.owners().join()}`);
}

function living(world: World): AppProcess[] {
  return [...world.instances.values()].filter(({ process }) => !process.dead);
}
