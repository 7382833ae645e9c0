import type { Delivery, ReceivedEvent, Settlement } from "@papa-events/core/transport";
import { EVENT_FIELD } from "../wire/keys.ts";
import { PackedEvent } from "../wire/packed-event.ts";

/** Settles deliveries of one consumer. */
export interface DeliveryOwner {
  settle(delivery: StreamDelivery, settlement: Settlement): Promise<void>;
}

/** A stream's entry handed to the core. It belongs to the consumer that it was handed to. */
export class StreamDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly crashes: number;
  /** The entry's id. */
  readonly entry: string;
  readonly owner: DeliveryOwner;
  /** Where its owner keeps it. */
  place = -1;

  constructor(entry: string, fields: readonly Buffer[], crashes: number, owner: DeliveryOwner) {
    const [field, packed] = fields;
    const own = packed !== undefined && field?.length === 1 && field[0] === EVENT_FIELD.charCodeAt(0);
    const event = own ? new PackedEvent(packed) : foreignEvent(entry, fields);
    this.event = event;
    this.attempt = event instanceof PackedEvent ? event.attempt : 1;
    this.crashes = crashes;
    this.entry = entry;
    this.owner = owner;
  }

  settle(settlement: Settlement): Promise<void> {
    return this.owner.settle(this, settlement);
  }
}

/** The event that another program added as fields (L5): `event` is its name, `payload` its body, all else are headers. */
export function foreignEvent(entry: string, fields: readonly Buffer[]): ReceivedEvent {
  const headers: Record<string, string> = {};
  let name: string | undefined;
  let body = Buffer.alloc(0);
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = fields[at]?.toString() ?? "";
    const value = fields[at + 1] ?? body;
    if (field === "event") name = value.toString();
    else if (field === "payload") body = Buffer.from(value);
    else Object.defineProperty(headers, field, { value: value.toString(), enumerable: true, configurable: true });
  }
  return { name, id: entry, time: Number.parseInt(entry, 10), headers, body };
}
