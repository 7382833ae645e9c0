import { isUtf8 } from "node:buffer";
import type { ReceivedEvent } from "@papa-events/core/transport";

/**
 * Reads an event that another program added as fields of an entry (L5). `event` is its name, `payload` its body; all
 * other fields are headers. A value that is no text is left as bytes, and a field that comes twice has a list of values.
 */
export function readForeignEvent(entry: string, fields: readonly Buffer[]): ReceivedEvent {
  const headers: Record<string, unknown> = {};
  let name: string | undefined;
  let body = Buffer.alloc(0);
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = fields[at]?.toString() ?? "";
    const value = fields[at + 1] ?? body;
    if (field === "event") name = value.toString();
    else if (field === "payload") body = Buffer.from(value);
    else add(headers, field, isUtf8(value) ? value.toString() : Buffer.from(value));
  }
  return { name, id: entry, time: Number.parseInt(entry, 10), headers, body };
}

/** Not by assignment: the field may be called `__proto__`. */
function add(headers: Record<string, unknown>, field: string, value: string | Buffer): void {
  const before = Object.hasOwn(headers, field) ? headers[field] : undefined;
  if (Array.isArray(before)) {
    before.push(value);
    return;
  }
  const all = before === undefined ? value : [before, value];
  Object.defineProperty(headers, field, { value: all, enumerable: true, configurable: true });
}
