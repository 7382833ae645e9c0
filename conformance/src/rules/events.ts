import { randomUUID } from "node:crypto";
import type { PapaApp } from "@papa-events/core";
import type { EncodedEvent } from "@papa-events/core/transport";

/** Publishes `{ number }` from 0 on under a name, all at once, and resolves to the ids. */
export async function publishMany(app: PapaApp, name: string, count: number): Promise<string[]> {
  const published = await Promise.all(numbers(count).map((number) => app.newEvent(name, { number })));
  return published.map(({ id }) => id);
}

/** An event as the core would hand it to a transport. */
export function encoded(
  name: string,
  payload: unknown = {},
  headers: Readonly<Record<string, string>> = {},
): EncodedEvent {
  const body = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload));
  const id = randomUUID();
  const time = Date.now();
  const ours = {
    ce_specversion: "1.0",
    ce_id: id,
    ce_type: name,
    ce_source: "conformance",
    ce_time: new Date(time).toISOString(),
    "content-type": "application/json",
  };
  return { name, id, time, headers: { ...ours, ...headers }, body };
}

/** 0 to `count` - 1. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

/** Sorted, for comparing what comes in no order. */
export function sorted(texts: readonly string[]): string[] {
  return [...texts].sort();
}
