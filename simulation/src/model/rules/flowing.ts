import type { Entry } from "../../history/entry.ts";
import type { Copy } from "../copy.ts";
import type { Model } from "../model.ts";
import { EPSILON_MS, named, type QueueModel } from "../queue.ts";
import type { Rule } from "../rule.ts";
import type { Report } from "../violation.ts";

/**
 * Whenever time goes on, nothing is ready that somebody could have (T2: a retry is not late; T3: what waits blocks
 * nothing; R1), and nobody has more in hand than he asked for (H9).
 */
export class FlowRules implements Rule {
  #now = 0;

  before(entry: Entry, model: Model, report: Report): void {
    if (entry.at > this.#now) {
      for (const queue of model.queues) stuck(queue, this.#now, model, report);
      this.#now = entry.at;
    }
  }

  see(entry: Entry, model: Model, report: Report): void {
    if (entry.kind !== "delivers") return;
    const { process, useCase, bytes } = entry;
    const subscriber = model.subscribers.find(process, useCase);
    if (subscriber === undefined || !subscriber.open || !subscriber.connected) {
      report("L2", `${named(entry.event)} of ${useCase} is delivered to ${process}, which takes no more`);
      return;
    }
    const { unsettled, limit } = subscriber;
    if (unsettled > limit)
      report("H9", `${process} has ${unsettled} deliveries of ${useCase} in hand, and asked for ${limit}`);
    const held = model.subscribers.heldBytes(process);
    const most = model.processes.get(process)?.settings.maxHeldBytes ?? 0;
    if (held > most && held > bytes) report("H9", `${process} has ${held} bytes in hand, and may have ${most}`);
  }
}

function stuck(queue: QueueModel, now: number, model: Model, report: Report): void {
  let largest = 0;
  const ready: Copy[] = [];
  for (const copy of queue.copies) {
    if (copy.state === "out" || (copy.state === "waiting" && copy.due > now + EPSILON_MS)) continue;
    largest = Math.max(largest, model.events.get(copy.event.label)?.bytes ?? 0);
    if (copy.state === "ready" || copy.due < now - EPSILON_MS) ready.push(copy);
  }
  if (ready.length === 0) return;
  for (const subscriber of model.subscribers.of(queue.useCase)) {
    const { process, open, connected, unsettled, limit, declaration } = subscriber;
    if (!open || !connected || unsettled >= limit) continue;
    const most = model.processes.get(process)?.settings.maxHeldBytes ?? 0;
    const held = model.subscribers.heldBytes(process);
    // Room for the largest, with its envelope: one that does not fit may be first, and keeps its place.
    if (held > 0 && held + largest + 100 > most) continue;
    const copy = ready.find(({ to, vague }) => !vague && (to === undefined || to === declaration));
    if (copy === undefined) continue;
    report(
      "T3",
      `${named(copy.event)} of ${queue.useCase} is ready, and ${process} has room for it, but does not get it`,
    );
    return;
  }
}
