type Headers = Readonly<Record<string, string>>;

/** Few events have more headers than this. */
const MAX_REUSED_HEADERS = 32;

/**
 * Reuses the objects in which headers are passed to amqplib. amqplib makes what it is given the prototype of an object
 * of its own, and for V8 a new prototype is half of what encoding an event costs; one that it has seen costs nothing.
 *
 * A returned object is valid until the next call: amqplib has encoded it when `publish` returns.
 */
export class HeaderTables {
  /** By the number of headers: an app's events are of a few kinds, with the same names each time. */
  readonly #tables: (Record<string, string> | undefined)[] = [];

  /** Copies headers into an object that is used again. */
  fill(headers: Headers): Headers {
    const names = Object.keys(headers);
    if (names.length > MAX_REUSED_HEADERS) return headers;
    const table = this.#tables[names.length];
    if (table === undefined || !hasExactly(table, names)) {
      const made = { ...headers };
      this.#tables[names.length] = made;
      return made;
    }
    for (const name of names) table[name] = headers[name] ?? "";
    return table;
  }
}

/** What instruments amqplib adds headers to the object, some of them for one event only. */
function hasExactly(table: Headers, names: readonly string[]): boolean {
  return Object.keys(table).length === names.length && names.every((name) => Object.hasOwn(table, name));
}
