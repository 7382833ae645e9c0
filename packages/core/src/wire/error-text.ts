import { types } from "node:util";

/** An error reduced to what is kept of it. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** How many causes of an error, and how many errors of an `AggregateError`, are kept with it. */
const MAX_CAUSES = 5;
/** How deep an `AggregateError` within another is looked into. */
const MAX_DEPTH = 3;

const UNREADABLE = "the thrown value cannot be read";

/** Reads what is kept of whatever a handler threw. Never throws, however odd the thrown value is. */
export function errorText(thrown: unknown): ErrorText {
  try {
    if (!isError(thrown)) {
      return { name: "NonError", message: typeof thrown === "string" ? thrown : describe(thrown), stack: "" };
    }
    return { name: String(thrown.name), message: messageOf(thrown), stack: stackOf(thrown) };
  } catch {
    return { name: "UnreadableError", message: UNREADABLE, stack: "" };
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
function messageOf(error: Error, depth = 0): string {
  const gathered = depth < MAX_DEPTH ? gatheredBy(error).map((each) => messageWithin(each, depth + 1)) : [];
  return [String(error.message), ...gathered].filter((message) => message !== "").join("; ");
}

/** What cannot be read must not take the error that gathers it along. */
function messageWithin(gathered: unknown, depth: number): string {
  try {
    return isError(gathered) ? messageOf(gathered, depth) : describe(gathered);
  } catch {
    return UNREADABLE;
  }
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
    stacks.push(...gatheredBy(current).flatMap(stackWithin));
    current = current.cause;
  }
  return stacks.join("\ncaused by: ");
}

function stackWithin(gathered: unknown): readonly string[] {
  try {
    return isError(gathered) ? [`one of them: ${gathered.stack ?? gathered}`] : [];
  } catch {
    return [UNREADABLE];
  }
}
