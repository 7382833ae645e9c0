/** Cuts text to at most `bytes` bytes of UTF-8, never inside a character, and makes it well-formed. */
export function cutText(text: string, bytes: number): string {
  const whole = text.toWellFormed();
  // No character of UTF-16 takes more than 3 bytes of UTF-8.
  if (whole.length * 3 <= bytes) return whole;
  const buffer = Buffer.from(whole);
  if (buffer.length <= bytes) return whole;
  let end = bytes;
  // Bytes of the form 10xxxxxx continue a character.
  while (end > 0 && ((buffer[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return buffer.toString("utf8", 0, end);
}
