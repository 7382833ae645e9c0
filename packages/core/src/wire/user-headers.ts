import { PapaError } from "../errors/papa-error.ts";
import { HEADER, UNSAFE_NAMES } from "./header-names.ts";

/** The most bytes of all user headers of an event, names and values; what every broker's client carries with ours beside it. */
export const MAX_HEADER_BYTES = 32_768;

/** The most bytes of a name: AMQP writes it with one length byte; half of that leaves room for what adds a prefix. */
const MAX_NAME_BYTES = 128;

/** Names that some broker or client reads, so that they would change what happens to the event. */
const RESERVED =
  /^(?:ce_.*|papa_.*|content-type|exception|x-death|x-first-death-.*|x-last-death-.*|x-delivery-count|x-opt-.*|x-stream-.*|cc|bcc)$/i;

/**
 * Checks the headers a user puts on an event.
 *
 * @throws PapaError `invalid-headers`, `headers-too-large`
 */
export function assertUserHeaders(headers: unknown): asserts headers is Readonly<Record<string, string>> {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    throw invalid("headers", "headers are an object of strings");
  }
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    const problem = problemOfHeader(name, value);
    if (problem !== undefined) throw invalid(name, problem);
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value as string);
  }
  if (bytes > MAX_HEADER_BYTES) {
    const details = { bytes, limit: MAX_HEADER_BYTES };
    throw new PapaError(
      "headers-too-large",
      `The headers have ${bytes} bytes, and ${MAX_HEADER_BYTES} are allowed; put large values into the payload.`,
      details,
    );
  }
}

function problemOfHeader(name: string, value: unknown): string | undefined {
  if (name === "" || Buffer.byteLength(name) > MAX_NAME_BYTES)
    return `a header's name has 1 to ${MAX_NAME_BYTES} bytes`;
  if (!name.isWellFormed()) return "the name is not well-formed Unicode";
  if (name === HEADER.traceParent || name === HEADER.traceState) return problemOfValue(value);
  if (RESERVED.test(name) || UNSAFE_NAMES.has(name))
    return "the name is reserved, for the library or because a broker reads it; choose another";
  return problemOfValue(value);
}

function problemOfValue(value: unknown): string | undefined {
  if (typeof value !== "string") return `the value is of type ${typeof value}; headers are strings`;
  return value.isWellFormed() ? undefined : "the value is not well-formed Unicode";
}

function invalid(header: string, problem: string): PapaError {
  return new PapaError("invalid-headers", `Header ${JSON.stringify(header)}: ${problem}.`, { header, problem });
}
