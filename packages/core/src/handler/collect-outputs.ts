import { PapaError } from "../errors/papa-error.ts";
import type { OutputEvent } from "../publishing/output-event.ts";
import type { HandlerResult } from "./handler.ts";

/**
 * Reads what a handler returned as a list of events and checks their shape (H4).
 *
 * @throws PapaError `invalid-output`
 */
export function collectOutputs(result: HandlerResult, useCase: string): readonly OutputEvent[] {
  if (result === undefined) return [];
  const outputs: readonly unknown[] = Array.isArray(result) ? result : [result];
  for (const output of outputs) {
    const problem = problemOf(output);
    if (problem !== undefined) throw invalidOutput(useCase, problem);
  }
  return outputs as readonly OutputEvent[];
}

/** Makes the error about what a handler returned. */
export function invalidOutput(useCase: string, problem: string, cause?: unknown): PapaError<"invalid-output"> {
  return new PapaError(
    "invalid-output",
    // The problem may be the message of another error, which is a sentence already.
    `What the handler of "${useCase}" returned cannot be published: ${problem.replace(/\.$/, "")}.`,
    { useCase, problem },
    { cause },
  );
}

const KNOWN = ["name", "payload", "headers"];

function problemOf(output: unknown): string | undefined {
  if (typeof output !== "object" || output === null) {
    return `${output == null ? output : `a ${typeof output}`} is not a valid event; return nothing, one event { name, payload }, or a list of them`;
  }
  const { name, payload } = output as Partial<OutputEvent>;
  if (typeof name !== "string")
    return "an object without a name is not a valid event; return nothing, one event { name, payload }, or a list of them";
  if (payload === undefined) return `the event "${name}" has no payload; null is one`;
  const unknown = Object.keys(output).find((key) => !KNOWN.includes(key));
  return unknown === undefined
    ? undefined
    : `the event "${name}" has a member "${unknown}"; an event has ${KNOWN.join(", ")}`;
}
