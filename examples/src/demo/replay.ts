import { setTimeout as pause } from "node:timers/promises";
import type { PapaApp } from "@papa-events/core";
import type { Run } from "./run.ts";
import type { Webhook } from "./webhooks.ts";

/** The most events that are published with one wait. */
const BATCH = 100;
/** How often a limited speed is kept up with, in milliseconds. */
const TICK = 20;

export interface Replay {
  readonly app: PapaApp;
  readonly run: Run;
  readonly webhooks: readonly Webhook[];
  readonly repeat: number;
  /** Events per second. */
  readonly speed: number;
  readonly signal: AbortSignal;
  readonly onPublished: (total: number) => void;
}

/** Publishes every webhook `repeat` times, at the given speed. */
export async function replay({ app, run, webhooks, repeat, speed, signal, onPublished }: Replay): Promise<void> {
  const all = webhooks.length * repeat;
  const start = performance.now();
  for (let published = 0; published < all; ) {
    const due = Math.min(all, Math.floor(((performance.now() - start) / 1_000) * speed) + 1);
    if (due <= published) {
      await pause(TICK, undefined, { signal });
      continue;
    }
    signal.throwIfAborted();
    const size = Math.min(due - published, BATCH);
    await app.newEvents(Array.from({ length: size }, (_, place) => eventNumber(published + place, webhooks, run)));
    published += size;
    onPublished(published);
  }
}

function eventNumber(n: number, webhooks: readonly Webhook[], run: Run) {
  const webhook = webhooks[n % webhooks.length];
  if (webhook === undefined) throw new RangeError("There are no webhooks to replay.");
  return { ...webhook, headers: { traceparent: run.traceparent(n) } };
}
