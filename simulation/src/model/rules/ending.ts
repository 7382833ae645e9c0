import type { Entry, EntryOf, LetterNote } from "../../history/entry.ts";
import type { EventPlan } from "../../plan/plan.ts";
import type { Letter } from "../copy.ts";
import type { Model } from "../model.ts";
import { named } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/** What is left at the end: everything is where it has to be (H1), and the dead letters say what they have to (D1, D2). */
export class EndingRules implements Rule {
  #rested = false;

  see(entry: Entry, model: Model, report: Report): void {
    switch (entry.kind) {
      case "rests":
        this.#rested = true;
        return;
      case "does not rest":
        report("H1", `${entry.why}: ${whatIsLeft(model)}`);
        return;
      case "goes wrong":
        report(entry.rule, entry.what);
        return;
      case "health":
        if (this.#rested && !entry.healthy)
          report("L6", `${entry.process} is not healthy at the end: ${entry.reasons.join()}`);
        return;
      case "holds":
        if (this.#rested) holds(entry, model, report);
        return;
      case "lists":
        if (this.#rested) lists(entry, model, report);
    }
  }
}

function whatIsLeft(model: Model): string {
  const left = [...model.queues].flatMap(({ useCase, copies }) =>
    [...copies].map(
      ({ event, state, process }) =>
        `${named(event)} of ${useCase} is ${state}${state === "out" ? ` with ${process}` : ""}`,
    ),
  );
  return left.length === 0 ? "nothing is left in the queues" : left.slice(0, 5).join(", ");
}

function holds({ useCase, queue, at }: EntryOf<"holds">, model: Model, report: Report): void {
  const { copies, letters } = model.queue(useCase);
  const waiting = [...copies].filter(({ state, due }) => state === "waiting" && due > at).length;
  // What nobody looks after waits on, though it is due.
  const together = model.plan.network.broker === "redis";
  const expected = {
    queued: copies.size - (together ? 0 : waiting),
    waiting: together ? 0 : waiting,
    dead: letters.size,
  };
  const stillWaiting = together ? 0 : queue.waiting;
  const found = {
    queued: queue.ready + queue.inFlight + queue.waiting - stillWaiting,
    waiting: stillWaiting,
    dead: queue.dead,
  };
  if (JSON.stringify(expected) !== JSON.stringify(found))
    report(
      "H1",
      `${useCase} holds ${JSON.stringify(found)} at the end, and should hold ${JSON.stringify(expected)}: ${whatIsLeft(model)}`,
    );
}

function lists({ useCase, letters }: EntryOf<"lists">, model: Model, report: Report): void {
  const expected = [...model.queue(useCase).letters.values()];
  if (letters.map(({ letter }) => letter).join() !== expected.map(({ id }) => id).join()) {
    report(
      "D2",
      `${useCase} lists ${letters.length} dead letters, not the ${expected.length} that it has, or not the oldest first`,
    );
    return;
  }
  for (const [index, letter] of letters.entries()) {
    const kept = expected[index];
    if (kept !== undefined) compare(letter, kept, model.events.get(kept.event.label), report);
  }
}

/** D1: a dead letter keeps everything. */
function compare(found: LetterNote, kept: Letter, planned: EventPlan | undefined, report: Report): void {
  const what = `the dead letter of ${named(kept.event)}`;
  const differs = (member: string, is: unknown, was: unknown) => {
    if (is !== was) report("D1", `${what} has the ${member} ${JSON.stringify(is)}, not ${JSON.stringify(was)}`);
  };
  differs("event id", found.id, kept.event.id);
  differs("name", found.name, kept.event.name);
  differs("reason", found.reason, kept.reason);
  differs("attempts", found.attempts, kept.attempts);
  if (planned === undefined) return;
  const { label, bytes, foreign } = planned;
  const json = JSON.stringify(bytes === 0 ? { label } : { label, filler: "x".repeat(bytes) });
  differs("body", found.body, foreign === "no json" ? `${label} is no JSON` : json);
  if (planned.refused === "headers") return;
  for (const [name, value] of Object.entries(planned.headers)) differs(`header ${name}`, found.headers[name], value);
  if (kept.error !== undefined) {
    differs("error", found.error.name, kept.error.name);
    differs("message", found.error.message, kept.error.message.slice(0, found.error.message.length));
  }
  if (kept.firstFailedAt !== undefined) differs("first failure", found.firstFailedAt, kept.firstFailedAt);
  if (kept.lastFailedAt !== undefined) differs("last failure", found.lastFailedAt, kept.lastFailedAt);
}
