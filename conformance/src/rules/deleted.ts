import assert from "node:assert/strict";
import type { PapaApp } from "@papa-events/core";
import { Calls } from "../rig/calls.ts";
import type { Rig } from "../rig/rig.ts";
import { type RuleTest, rule } from "../rule.ts";

const USE_CASE = "deleted";
/** Its declarations are refreshed each second. */
const GRACE_MS = 10_000;
/** What is deleted has to be noticed within 5 s; then it has to be made, which takes a broker a moment. */
const WORKS_AGAIN_MS = 8_000;
const PROBES_MS = 50;
const PROBES_IN_A_ROW = 20;

/** L8: what an operator deletes while apps run. */
export const deleted: readonly RuleTest[] = [
  rule("L8", "what is deleted while apps run is made again, whole: events, retries and dead letters", async (rig) => {
    const deletions = rig.offered(
      rig.description.faults.deletions ?? "the description does not say what an operator could delete",
    );
    const calls = new Calls(({ name, attempt }) => {
      if (name === "made.dead" || (name === "made.retried" && attempt === 1)) throw new Error("as it is meant to be");
    });
    const app = rig.app({ declarationGrace: GRACE_MS, retries: 1, retryDelay: 200, publishTimeout: WORKS_AGAIN_MS });
    await app.onEvent("made.#", { useCase: USE_CASE }, calls.handler).start();
    await isWhole(rig, app, calls);
    for (const [name, remove] of Object.entries(deletions(rig.namespace, USE_CASE))) {
      if (typeof remove === "string") {
        rig.weaker.push(`${name} is not made again: ${remove}`);
        continue;
      }
      await remove();
      await worksAgain(rig, name, app, calls);
      await isWhole(rig, app, calls);
    }
    await rig.until(
      () => `it is healthy again: ${JSON.stringify(app.health().reasons)}`,
      () => app.health().healthy,
    );
  }),
];

/**
 * Publishes until all that was published for a second is handled: a namespace that is spread over several places may work in one of them
 * only. What came before that may be gone.
 */
async function worksAgain(rig: Rig, deletion: string, app: PapaApp, calls: Calls): Promise<void> {
  const started = performance.now();
  const probes: { readonly at: number; id?: string }[] = [];
  let since = Number.POSITIVE_INFINITY;
  await rig.until(`events are handled after ${deletion} was deleted`, () => {
    const now = performance.now();
    if (now >= (probes.at(-1)?.at ?? 0) + PROBES_MS) {
      const probe: (typeof probes)[number] = { at: now };
      probes.push(probe);
      app.newEvent("made.probe", { deletion }).then(
        ({ id }) => {
          probe.id = id;
        },
        () => {},
      );
    }
    const handled = new Set(calls.ids);
    const isHandled = probes.map(({ id }) => id !== undefined && handled.has(id));
    const first = isHandled.findIndex((_, at) => {
      const row = isHandled.slice(at, at + PROBES_IN_A_ROW);
      return row.length === PROBES_IN_A_ROW && row.every(Boolean);
    });
    since = probes[first]?.at ?? since;
    return first >= 0;
  });
  const took = Math.round(since - started);
  assert(took <= WORKS_AGAIN_MS, `${took} ms after ${deletion} was deleted all is handled, and not before`);
}

/** Nothing that belongs to the use case is missing: each way that an event can go is open. */
async function isWhole(rig: Rig, app: PapaApp, calls: Calls): Promise<void> {
  const letters = app.deadLetters(USE_CASE);
  const { id: plain } = await app.newEvent("made.plain", {});
  const { id: retried } = await app.newEvent("made.retried", {});
  const { id: dead } = await app.newEvent("made.dead", {});
  await rig.until("events are handled", () => calls.ids.includes(plain));
  await rig.until("retries come", () => calls.list.some(({ id, attempt }) => id === retried && attempt === 2));
  await rig.until("dead letters are kept", async () => {
    try {
      return (await letters.list({ limit: 1_000 })).items.some(({ eventId }) => eventId === dead);
    } catch {
      // What says that there is such a use case may be missing still.
      return false;
    }
  });
}
