import { types } from "node:util";

/** An error reduced to what is kept of it. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** How many causes of an error, and how many errors of an `AggregateError`, are kept with it. */
const MAX_CAUSES = 5;

/** Reads what is kept of whatever a handler threw. Never throws, however odd the thrown value is. */
export function errorText(thrown: unknown): ErrorText {
  try {
    if (!isError(thrown)) {
      return { name: "NonError", message: typeof thrown === "string" ? thrown : describe(thrown), stack: "" };
    }
    return { name: String(thrown.name), message: messageOf(thrown), stack: stackOf(thrown) };
  } catch {
    return { name: "UnreadableError", message: "the thrown value cannot be read", stack: "" };
  }
}

/** Also an error of another realm, such as one of `node:vm` or of a test runner, which is no `instanceof Error`. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

function describe(value: unknown): string {
  const json = typeof value === "object" && value !== null ? JSON.stringify(value) : undefined;
  // `toJSON` may give nothing.
  return json ?? String(value);
}

/** An `AggregateError` says little itself: what it gathers is what went wrong. */
function messageOf(error: Error): string {
  const gathered = gatheredBy(error).map((each) => (isError(each) ? messageOf(each) : describe(each)));
  return [String(error.message), ...gathered].filter((message) => message !== "").join("; ");
}

function gatheredBy(error: Error): readonly unknown[] {
  const { errors } = error as Partial<AggregateError>;
  return Array.isArray(errors) ? errors.filter((each) => each !== error).slice(0, MAX_CAUSES) : [];
}

function stackOf(error: Error): string {
  const stacks: string[] = [];
  let current: unknown = error;
  while (isError(current) && stacks.length <= MAX_CAUSES) {
    stacks.push(String(current.stack ?? current));
    for (const each of gatheredBy(current)) if (isError(each)) stacks.push(`one of them: ${each.stack ?? each}`);
    current = current.cause;
  }
  return stacks.join("\ncaused by: ");
}
