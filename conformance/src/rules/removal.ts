import assert from "node:assert/strict";
import { isPapaError } from "@papa-events/core";
import type { Administration, Connection } from "@papa-events/core/transport";
import { Calls, Held } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { buryMany, revived } from "./burying.ts";
import { encoded, numbers, publishMany, sorted } from "./events.ts";

const GRACE_MS = 2_000;
/** Long enough for those that run to declare several times. */
const SEVERAL_DECLARATIONS_MS = GRACE_MS / 2;
/** Longer than any broker takes to remove a use case. */
const RETRY_DELAY_MS = 5_000;

/** R9: the end of a use case. */
export const removal: readonly RuleTest[] = [
  rule("R9", "a use case is known until it is removed, also when no instance runs", async (rig) => {
    const { administration } = await rig.operate();
    const app = rig.app().onEvent("a", { useCase: "one" }, new Calls().handler);
    app.onEvent("b", { useCase: "two" }, new Calls().handler);
    await app.start();
    await app.stop();
    assert.deepEqual(await administration.useCases(), ["one", "two"]);
    assert.equal(await administration.remove("one", "purge"), true);
    await rig.until("it is forgotten", async () => (await administration.useCases()).join() === "two");
    assert.equal(await administration.remove("one", "purge"), false);
    assert.equal(await administration.remove("never-declared", "keep"), false);
    assert.deepEqual(await administration.useCases(), ["two"]);
  }),

  rule("R9", "an instance that still runs a removed use case is told, once, and makes nothing anew", async (rig) => {
    const { connection, administration } = await rig.operate();
    const going = new Calls();
    const staying = new Calls();
    const app = rig.app({ declarationGrace: GRACE_MS });
    app.onEvent("a", { useCase: "going" }, going.handler).onEvent("a", { useCase: "staying" }, staying.handler);
    await app.start();
    const publisher = await rig.publisher();
    await publishMany(publisher, "a", 3);
    await rig.until("both have handled them", () => going.count === 3 && staying.count === 3);
    assert.equal(await administration.remove("going", "purge"), true);
    // Before it is told it may have noticed that something is missing.
    const isTold = () =>
      app.health().reasons.some(({ subject, message }) => subject === 'consuming "going"' && /removed/.test(message));
    await rig.until("it is told", isTold);
    await publishMany(publisher, "a", 3);
    await rig.until("the other one has them", () => staying.count === 6);
    await pause(SEVERAL_DECLARATIONS_MS);
    await isGone(connection, administration, "going");
    assert.equal(going.count, 3, "a removed use case handled something");
    assert(isTold(), "it looks healthy again");
    const told = rig.log.lines.filter(({ level, message }) => level === "error" && /removed/.test(message));
    assert.equal(told.length, 1, `it was told ${told.length} times`);
    assert.deepEqual(await administration.useCases(), ["staying"]);
  }),

  rule("R9", "what is removed is declared anew by a new start, and by nobody who ran it", async (rig) => {
    const { administration } = await rig.operate();
    const older = new Calls();
    const old = rig.app({ declarationGrace: GRACE_MS }).onEvent("a", { useCase: "anew" }, older.handler);
    await old.start();
    await administration.remove("anew", "purge");
    const newer = new Calls();
    const next = rig.app({ declarationGrace: GRACE_MS }).onEvent("b", { useCase: "anew" }, newer.handler);
    await next.start();
    await pause(SEVERAL_DECLARATIONS_MS);
    const publisher = await rig.publisher({ unwanted: "accept" });
    await publishMany(publisher, "a", 5);
    const ids = await publishMany(publisher, "b", 20);
    await rig.until("the new one handles its own", () => newer.count === 20);
    assert.deepEqual(sorted(newer.ids), sorted(ids));
    assert.equal(older.count, 0, "what runs it still has handled something");
    const { connection } = await rig.operate();
    const patterns = (await connection.declarations.list("anew")).flatMap((record) => record.patterns);
    assert.deepEqual(patterns, ["b"]);
  }),

  rule("R9", "what waits, is ready or in flight when a use case is removed is gone with it", async (rig) => {
    const { connection, administration } = await rig.operate();
    const held = new Held();
    const retried = new Calls(() => {
      throw new Error("later");
    });
    const options = { concurrency: 1, declarationGrace: GRACE_MS, retryDelay: RETRY_DELAY_MS, retries: 3 };
    const app = rig.app(options).onEvent("held", { useCase: "holding" }, held.handler);
    app.onEvent("retried", { useCase: "waiting" }, retried.handler);
    await app.start();
    await publishMany(app, "held", 5);
    await app.newEvent("retried", {});
    await rig.until("one is handled and others are ready", () => held.count === 1);
    await rig.until("one waits", async () => (await app.stats()).waiting?.waiting === 1);
    assert.equal(await administration.remove("waiting", "purge"), true);
    assert.equal(await administration.remove("holding", "purge"), true);
    held.letGo();
    await rig.until("its app knows", () => app.health().reasons.length >= 2);
    // Past the time at which the retry would have come.
    await pause(RETRY_DELAY_MS);
    for (const useCase of ["holding", "waiting"]) await isGone(connection, administration, useCase);
    assert.equal(retried.count, 1, "a retry came back");
    await app.stop();
    const calls = new Calls();
    const anew = rig.app().onEvent("held", { useCase: "holding" }, calls.handler);
    anew.onEvent("retried", { useCase: "waiting" }, calls.handler);
    await anew.start();
    const id = (await anew.newEvent("held", { last: true })).id;
    await rig.until("what is new is handled", () => calls.ids.includes(id));
    await rig.untilEmpty(anew);
    assert.deepEqual(calls.ids, [id], "something of before the removal came back");
  }),

  rule("R9", "the dead letters of a removed use case are kept or purged, as was said", async (rig) => {
    const { connection, administration } = await rig.operate();
    for (const useCase of ["kept", "purged"]) await buryMany(rig, useCase, 5);
    assert.equal(await administration.remove("kept", "keep"), true);
    assert.equal(await administration.remove("purged", "purge"), true);
    await rig.until("nothing is left of one", async () => !(await administration.useCases()).includes("purged"));
    await assert.rejects(connection.deadLetters("purged").count(), isUnknown);
    const letters = connection.deadLetters("kept");
    assert.equal(await letters.count(), 5);
    assert.deepEqual(await connection.declarations.list("kept"), []);
    assert.deepEqual(await (await rig.connect()).publish([encoded("buried", { number: 99 })]), []);
    const calls = new Calls();
    const app = rig.app().onEvent("buried", { useCase: "kept" }, calls.handler);
    app.onEvent("buried", { useCase: "purged" }, new Calls().handler);
    await app.start();
    assert.equal(await app.deadLetters("purged").count(), 0);
    assert.equal(await letters.redrive("all", revived), 5);
    await rig.until("they are handled", () => calls.count === 5);
    const handled = calls.list.map(({ payload }) => (payload as { number: number }).number);
    assert.deepEqual(handled.sort(), numbers(5));
    assert.equal(await letters.count(), 0);
  }),

  rule(
    "R9",
    "an app of which one use case is removed, paused or not, goes on with the others and looks at them",
    async (rig) => {
      const { administration } = await rig.operate();
      const app = rig.app({ declarationGrace: GRACE_MS });
      const staying = new Calls();
      for (const useCase of ["plain", "paused"]) app.onEvent("a", { useCase }, new Calls().handler);
      await app.onEvent("a", { useCase: "staying" }, staying.handler).start();
      await administration.pause("paused");
      await rig.until("it knows", () => app.health().paused.length === 1);
      for (const useCase of ["plain", "paused"]) await administration.remove(useCase, "purge");
      await rig.until(
        "it is told",
        () => app.health().reasons.filter(({ message }) => /removed/.test(message)).length === 2,
      );
      await rig.until("it is paused no more", () => app.health().paused.length === 0);
      // Longer than two looks at the pauses.
      await pause(5_000);
      const warned = rig.log.lines.filter(({ level, message }) => level === "warn" && /pause/i.test(message));
      assert(warned.length <= 1, `${warned.length} warnings of pauses, without end`);
      await app.newEvent("a", {});
      await rig.until("the other one handles", () => staying.count === 1);
      await rig.untilEmpty(app);
      assert.deepEqual((await app.stats()).staying, { ready: 0, inFlight: 0, waiting: 0, dead: 0 });
    },
  ),

  rule("R9", "a removal forgets the pause, and leaves what others declare as it was", async (rig) => {
    const { administration } = await rig.operate();
    const connection = await rig.connect();
    await connection.declarations.declare([declaration("paused", "a"), declaration("other", "a", "b.#")]);
    await administration.pause("paused");
    await administration.pause("other");
    const before = await patternsOf(connection, "other");
    assert.equal(await administration.remove("paused", "purge"), true);
    assert.deepEqual(await administration.paused(), ["other"]);
    assert.deepEqual(await patternsOf(connection, "other"), before);
    await (await rig.connect()).declarations.declare([declaration("paused", "a")]);
    assert.deepEqual(await administration.paused(), ["other"]);
    assert.deepEqual(await patternsOf(connection, "paused"), ["a"]);
  }),
];

async function isGone(connection: Connection, administration: Administration, useCase: string): Promise<void> {
  assert.deepEqual(await connection.declarations.list(useCase), [], "its declarations are there again");
  assert(!(await administration.useCases()).includes(useCase), "it is there again");
  await assert.rejects(connection.inspect(useCase), isUnknown);
}

function isUnknown(error: unknown): boolean {
  return isPapaError(error, "unknown-use-case");
}

async function patternsOf(connection: Connection, useCase: string): Promise<string[]> {
  const records = await connection.declarations.list(useCase);
  return sorted([...new Set(records.flatMap(({ patterns }) => patterns))]);
}
