/*
 * Headers of events from outside that are not text (L5), as JSON holds them among the others:
 *
 *     raw   = bytes / list
 *     bytes = { "base64": string }
 *     list  = [ *( string / bytes ) ] ; a header that came several times
 */

/** Makes a header's value something that JSON holds. */
export function toJsonValue(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  return Array.isArray(value) ? value.map(toJsonValue) : value;
}

/** Makes of what JSON holds the header's value again. */
export function fromJsonValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJsonValue);
  if (typeof value === "object" && value !== null && "base64" in value && typeof value.base64 === "string")
    return Buffer.from(value.base64, "base64");
  return value;
}
