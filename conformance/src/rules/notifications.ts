import assert from "node:assert/strict";
import { DeadLetter, type DeadLetterItem, PapaError } from "@papa-events/core";
import type { Transport } from "@papa-events/core/transport";
import { Calls, failing } from "../rig/calls.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { redirected, wrapped } from "../rig/wrapped.ts";
import { type RuleTest, rule } from "../rule.ts";
import { numbers, publishMany, sorted } from "./events.ts";

/** L6: what an app says of what became of its events. */
export const notifications: readonly RuleTest[] = [
  rule("L6", "each dead letter is notified once, with the id under which it is stored", async (rig) => {
    const items: DeadLetterItem[] = [];
    const calls = new Calls(() => {
      throw new DeadLetter("never again");
    });
    const app = rig.app({ onDeadLetter: (item) => items.push(item) });
    app.onEvent("doomed", { useCase: "notified" }, calls.handler);
    await app.start();
    const ids = await publishMany(app, "doomed", 20);
    await rig.until("all are dead letters", async () => (await app.deadLetters("notified").count()) >= 20);
    await rig.untilEmpty(app);
    await rig.until("all are notified", () => items.length >= 20);
    assert.deepEqual(sorted(items.map(({ eventId }) => eventId)), sorted(ids));
    const stored = await storedIds(rig, "notified");
    assert.deepEqual(sorted(items.map(({ id }) => id)), stored);
    assert.deepEqual(sorted(loggedIds(rig)), stored);
  }),

  rule("L6", "over lost connections nothing is notified that is not stored, and nothing twice", async (rig) => {
    const items: DeadLetterItem[] = [];
    const calls = new Calls(async () => {
      await pause(30);
      throw new DeadLetter("never again");
    });
    const app = rig.app({ concurrency: 5, onDeadLetter: (item) => items.push(item) });
    app.onEvent("doomed", { useCase: "notified" }, calls.handler);
    await app.start();
    const ids = await publishMany(await rig.publisher(), "doomed", 60);
    for (const round of numbers(3)) {
      await rig.until("some are being handled", () => calls.count > (round + 1) * 10 && calls.running > 0);
      await rig.faults.cut();
    }
    await rig.until("all are notified", () => new Set(items.map(({ eventId }) => eventId)).size === ids.length);
    await rig.untilEmpty(app);
    const stored = new Set(await storedIds(rig, "notified"));
    const notified = items.map(({ id }) => id);
    assert.equal(new Set(notified).size, notified.length, "a dead letter was notified twice");
    assert.deepEqual(
      notified.filter((id) => !stored.has(id)),
      [],
      "notified of dead letters that do not exist",
    );
  }),

  rule("L6", "each retry is notified once, with its delay", async (rig) => {
    const retries: string[] = [];
    const calls = failing();
    const app = rig.app({
      retries: 2,
      retryDelay: (attempt) => attempt * 40,
      onRetry: ({ id, attempt }, error, delay) => {
        assert(error instanceof Error);
        retries.push(`${id} ${attempt} ${delay}`);
      },
    });
    app.onEvent("flaky", { useCase: "retried" }, calls.handler);
    await app.start();
    const ids = await publishMany(app, "flaky", 10);
    await rig.until("all are given up", async () => (await app.deadLetters("retried").count()) === 10);
    await rig.untilEmpty(app);
    const expected = ids.flatMap((id) => [`${id} 1 40`, `${id} 2 80`]);
    assert.deepEqual(sorted(retries), sorted(expected));
  }),

  rule("L6", "health() names a lost connection as the reason, in plain data, until it is back", async (rig) => {
    const app = rig.app().onEvent("any", { useCase: "checked" }, new Calls().handler);
    await app.start();
    // A broker that has just started may not have let the app in everywhere yet.
    await rig.until("it is healthy", () => app.health().healthy);
    assert.deepEqual(app.health().reasons, []);
    await rig.faults.disconnect();
    const lost = () => app.health().reasons.find(({ subject }) => subject === "connection");
    await rig.until("it is not healthy for that reason", () => !app.health().healthy && lost() !== undefined);
    const health = app.health();
    assert(lost()?.message !== "" && lost()?.since !== "", JSON.stringify(health));
    assert.deepEqual(JSON.parse(JSON.stringify(health)), health);
    await rig.faults.reconnect();
    await rig.until("it is healthy again", () => app.health().healthy);
    assert.deepEqual(app.health().reasons, []);
  }),

  rule(
    "L6",
    "a settlement that the broker refuses for now shows in health(), and is notified when stored",
    async (rig) => {
      const items: DeadLetterItem[] = [];
      const refusing = { now: true };
      const transport = refusesDeadLetters(rig.transport(), refusing);
      const app = rig.app({ transport, onDeadLetter: (item) => items.push(item) });
      app.onEvent("doomed", { useCase: "refused", retries: 0 }, failing().handler);
      await app.start();
      await app.newEvent("doomed", {});
      const reasons = () => app.health().reasons.map(({ subject, message }) => `${subject} ${message}`);
      await rig.until(
        () => `it is not healthy because of that; reasons: ${reasons()}`,
        () => reasons().some((reason) => /refused.*the broker is full/s.test(reason)),
      );
      assert.equal(items.length, 0, "notified of what is not stored");
      refusing.now = false;
      await rig.until("it is notified", () => items.length > 0);
      await rig.until(
        () => `it is healthy; reasons: ${reasons()}`,
        () => app.health().healthy,
      );
      assert.deepEqual(
        items.map(({ id }) => id),
        await storedIds(rig, "refused"),
      );
    },
  ),
];

async function storedIds(rig: Rig, useCase: string): Promise<string[]> {
  const { items } = await rig.letters(useCase).list({ limit: 1_000 });
  return sorted(items.map(({ id }) => id));
}

/** The ids of the dead letters that were logged. */
function loggedIds(rig: Rig): string[] {
  return rig.log.lines.flatMap(({ about }) =>
    "deadLetterId" in about && typeof about.deadLetterId === "string" ? [about.deadLetterId] : [],
  );
}

/** A broker that takes no dead letter for now. */
function refusesDeadLetters(inner: Transport, refusing: { readonly now: boolean }): Transport {
  return wrapped(inner, (connection) => ({
    subscribe: (useCase, options, onDelivery) =>
      connection.subscribe(useCase, options, (delivery) =>
        onDelivery(
          redirected(delivery, async (settlement) => {
            if (settlement.kind !== "dead" || !refusing.now) return delivery.settle(settlement);
            const details = { transport: inner.name };
            throw new PapaError("connection-failed", "the broker is full", details, { retryable: true });
          }),
        ),
      ),
  }));
}
