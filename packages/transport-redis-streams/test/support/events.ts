import type { EncodedEvent } from "@papa-events/core/transport";

let count = 0;

/** An event as the core hands it to a transport. */
export function encoded(name: string, payload: unknown, headers: Record<string, string> = {}): EncodedEvent {
  count += 1;
  const id = `id-${count}`;
  const time = Date.now();
  const own = { ce_id: id, ce_type: name, ce_time: new Date(time).toISOString() };
  return { name, id, time, headers: { ...own, ...headers }, body: Buffer.from(JSON.stringify(payload)) };
}
