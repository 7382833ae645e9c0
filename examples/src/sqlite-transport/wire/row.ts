import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { EncodedEvent, ReceivedEvent } from "@papa-events/core/transport";

/** The columns of an event, as {@link toValues} gives and {@link toEvent} reads them. */
export const COLUMNS = "name, id, time, headers, body";

/** An event as values for {@link COLUMNS}. Headers that are no text come from JSON, and are JSON again. */
export function toValues({ name, id, time, headers, rawHeaders, body }: EncodedEvent): SQLInputValue[] {
  return [name, id, Math.trunc(time), JSON.stringify({ ...headers, ...rawHeaders }), body];
}

export function toEvent({ name, id, time, headers, body }: Record<string, SQLOutputValue>): ReceivedEvent {
  return {
    name: String(name),
    id: String(id),
    time: Number(time),
    headers: JSON.parse(String(headers)) as Record<string, unknown>,
    body: body as Uint8Array,
  };
}
