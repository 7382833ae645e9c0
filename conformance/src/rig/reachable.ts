/** More than any error has that does not drag a client library along. */
const MAX_OBJECTS = 200_000;

/**
 * Every text that can be reached from a value by own properties, enumerable or not, at any depth: names, strings, bytes
 * read as text, and what maps and sets hold.
 */
export function textReachableFrom(root: unknown): string {
  const texts: string[] = [];
  const seen = new Set<object>();
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "string") texts.push(value);
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
    seen.add(value);
    if (seen.size > MAX_OBJECTS) throw new Error(`more than ${MAX_OBJECTS} objects can be reached`);
    if (value instanceof Uint8Array) {
      texts.push(Buffer.from(value).toString("latin1"));
      continue;
    }
    if (value instanceof URL) texts.push(value.href);
    if (value instanceof Map) open.push(...value.keys(), ...value.values());
    if (value instanceof Set) open.push(...value);
    for (const name of Reflect.ownKeys(value)) {
      if (typeof name === "string") texts.push(name);
      open.push(read(value, name));
    }
  }
  return texts.join("\n");
}

function read(owner: object, name: string | symbol): unknown {
  try {
    return Reflect.get(owner, name);
  } catch {
    // A getter that throws shows nothing.
    return undefined;
  }
}
