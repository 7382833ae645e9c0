import type { EncodedEvent } from "@papa-events/core/transport";
import { StreamDelivery } from "../../src/consuming/delivery.ts";

let count = 0;

/** An event as the core hands it to a transport. */
export function encoded(name: string, payload: unknown, headers: Record<string, string> = {}): EncodedEvent {
  count += 1;
  const id = `id-${count}`;
  const time = Date.now();
  const own = { ce_id: id, ce_type: name, ce_time: new Date(time).toISOString() };
  return { name, id, time, headers: { ...own, ...headers }, body: Buffer.from(JSON.stringify(payload)) };
}

/** A delivery of an entry, which settles nothing. */
export function delivered(entry: string): StreamDelivery {
  const fields = [Buffer.from("e"), Buffer.from("1 x\n{}\n1")];
  return new StreamDelivery({ consumer: "me", entry, fields, redeliveries: 0 }, { settle: async () => "lost" });
}
