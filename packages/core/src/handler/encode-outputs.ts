import type { EventContext } from "../context/event-context.ts";
import { isPapaError } from "../errors/papa-error.ts";
import type { EventMaker } from "../publishing/event-maker.ts";
import type { OutputEvent } from "../publishing/output-event.ts";
import type { EncodedEvent } from "../transport/event.ts";
import { errorText } from "../wire/error-text.ts";
import { invalidOutput } from "./collect-outputs.ts";

/**
 * Encodes what a handler returned; nothing is published before all of it has been checked (H4).
 *
 * @throws PapaError `invalid-output`, or a retryable one
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
      // Nothing is wrong with the event: the broker that was asked about it is away, or nobody wants it yet.
      if (isPapaError(error) && error.retryable) throw error;
      throw invalidOutput(context.useCase, errorText(error).message, error);
    }
  }
  return encoded;
}
