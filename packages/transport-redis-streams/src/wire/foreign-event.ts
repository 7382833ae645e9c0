import type { ReceivedEvent } from "@papa-events/core/transport";

/**
 * Reads an event that another program added as fields of an entry (L5). `event` is its name, `payload` its body; all
 * other fields are headers.
 */
export function readForeignEvent(entry: string, fields: readonly Buffer[]): ReceivedEvent {
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
