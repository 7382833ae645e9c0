import { PapaError } from "../errors/papa-error.ts";
import type { EventMaker } from "../publishing/event-maker.ts";
import type { EncodedEvent } from "../transport/event.ts";
import type { EventContext } from "./event-context.ts";
import type { HandlerResult, OutputEvent } from "./handler.ts";

/**
 * What a handler returned as a list of events, their shape checked (H4).
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

/**
 * What a handler returned, ready to be published: all of it has been checked (H4).
 *
 * @throws PapaError `invalid-output`
 */
export async function encodeOutputs(
  outputs: readonly OutputEvent[],
  maker: EventMaker,
  context: EventContext,
): Promise<readonly EncodedEvent[]> {
  const encoded: EncodedEvent[] = [];
  for (const { name, payload, headers } of outputs) {
    try {
      encoded.push(await maker.make(name, payload, headers === undefined ? undefined : { headers }, context));
    } catch (error) {
      throw invalidOutput(context.useCase, error instanceof Error ? error.message : String(error), error);
    }
  }
  return encoded;
}

/** An error about what a handler returned. */
function invalidOutput(useCase: string, problem: string, cause?: unknown): PapaError<"invalid-output"> {
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
    return `${output === null ? "null" : `a ${typeof output}`} is no event; return nothing, one event { name, payload }, or a list of them`;
  }
  const { name, payload } = output as Partial<OutputEvent>;
  if (typeof name !== "string")
    return "an object without a name is no event; return nothing, one event { name, payload }, or a list of them";
  if (payload === undefined) return `the event "${name}" has no payload; null is one`;
  const unknown = Object.keys(output).find((key) => !KNOWN.includes(key));
  return unknown === undefined
    ? undefined
    : `the event "${name}" has a member "${unknown}"; an event has ${KNOWN.join(", ")}`;
}
