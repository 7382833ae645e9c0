/** An error reduced to what is kept of it. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** How many causes of an error are told with it. */
const MAX_CAUSES = 5;

/** What is kept of whatever a handler threw. Reading it never throws, however odd the thrown value is. */
export function errorText(thrown: unknown): ErrorText {
  try {
    if (!(thrown instanceof Error)) {
      return { name: "NonError", message: typeof thrown === "string" ? thrown : describe(thrown), stack: "" };
    }
    return { name: String(thrown.name), message: String(thrown.message), stack: stackOf(thrown) };
  } catch {
    return { name: "UnreadableError", message: "the thrown value cannot be read", stack: "" };
  }
}

function describe(value: unknown): string {
  const json = typeof value === "object" && value !== null ? JSON.stringify(value) : undefined;
  // `toJSON` may give nothing.
  return json ?? String(value);
}

function stackOf(error: Error): string {
  const stacks: string[] = [];
  let current: unknown = error;
  while (current instanceof Error && stacks.length <= MAX_CAUSES) {
    stacks.push(String(current.stack ?? current));
    current = current.cause;
  }
  return stacks.join("\ncaused by: ");
}
