/** Any value as text for an error's message. Never throws, also where an object has no `toString` to call. */
export function shown(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `a value of type ${typeof value}`;
  }
}
