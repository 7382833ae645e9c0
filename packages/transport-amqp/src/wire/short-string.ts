/** AMQP writes the length of a short string in one byte. */
const MAX_SHORT_STRING_BYTES = 255;

/** Whether a text can be one of AMQP's short strings. */
export function fitsShortString(text: string): boolean {
  return text.length * 3 <= MAX_SHORT_STRING_BYTES || Buffer.byteLength(text) <= MAX_SHORT_STRING_BYTES;
}
