/** amqplib encodes the headers of a message into so many bytes, and throws where they are more. */
export const MAX_TABLE_BYTES = 65_536;

/** What a table and each of its fields take besides names and values: a length; a name's length, a type, a length. */
const TABLE_BYTES = 4;
export const FIELD_BYTES = 6;

/** Measures a header table as amqplib encodes it. Never less than it takes; values other than text and bytes are rounded up. */
export function tableSize(headers: Readonly<Record<string, unknown>>): number {
  let size = TABLE_BYTES;
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) size += FIELD_BYTES + Buffer.byteLength(name) + valueSize(value);
  }
  return size;
}

function valueSize(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + FIELD_BYTES + valueSize(each), 0);
  if (typeof value === "object" && value !== null && !("!" in value))
    return tableSize(value as Record<string, unknown>);
  // Numbers, times, decimals.
  return 8;
}

/** Cuts text to at most so many bytes of UTF-8, never inside a character. */
export function cutText(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  let end = Math.max(0, bytes);
  // Bytes of the form 10xxxxxx continue a character.
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return encoded.toString("utf8", 0, end);
}
