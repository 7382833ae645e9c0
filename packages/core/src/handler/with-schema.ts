import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Catalogue, NoCatalogue } from "../catalogue/types.ts";
import { problemsOf, validate } from "../catalogue/validate.ts";
import type { EventContext } from "../context/event-context.ts";
import { PapaError } from "../errors/papa-error.ts";
import { GivenUp } from "../outcome/given-up.ts";
import type { Handler, HandlerResult } from "./handler.ts";

/** A context whose payload is set to what the schema makes of it. */
interface Validated extends EventContext {
  payload: unknown;
}

/**
 * Puts the schema in front of a handler: its own, else the catalogue's for the event's name. The result throws, or rejects
 * with, {@link GivenUp} for a payload that the schema refuses and for an event that the catalogue lacks (H5).
 */
export function withSchema(
  handler: Handler,
  ownSchema: StandardSchemaV1 | undefined,
  catalogue: Catalogue | NoCatalogue,
): Handler<unknown, Validated> {
  if (ownSchema === undefined && catalogue === undefined) {
    return (payload, context) => {
      context.payload = payload;
      return handler(payload, context);
    };
  }
  return (payload, context) => {
    const schema = ownSchema ?? schemaIn(catalogue, context);
    const checked = validate(schema, payload);
    if (!(checked instanceof Promise)) return handleChecked(handler, context, checked);
    return checked.then((result) => {
      // The attempt has failed meanwhile, and may be repeated already: its handler is not begun.
      context.signal.throwIfAborted();
      return handleChecked(handler, context, result);
    });
  };
}

function handleChecked(
  handler: Handler,
  context: Validated,
  checked: StandardSchemaV1.Result<unknown>,
): HandlerResult | Promise<HandlerResult> {
  if (checked.issues !== undefined) throw new GivenUp("invalid-payload", refused(context, problemsOf(checked.issues)));
  context.payload = checked.value;
  return handler(checked.value, context);
}

/** An event may be called `constructor` or `__proto__`, which every object has. */
function schemaIn(catalogue: Catalogue | NoCatalogue, context: EventContext): StandardSchemaV1 {
  const { eventName, useCase } = context;
  const schema = catalogue !== undefined && Object.hasOwn(catalogue, eventName) ? catalogue[eventName] : undefined;
  if (schema !== undefined) return schema;
  const message = `"${eventName}" came to "${useCase}" and is not in the app's catalogue; add it there, or give the use case a schema of its own.`;
  throw new GivenUp("unknown-event", new PapaError("unknown-event", message, { eventName }));
}

/** Makes the error about a payload that was refused. */
export function refused({ eventName }: EventContext, problems: readonly string[]): PapaError {
  const message = `The payload of "${eventName}" is refused: ${problems.join("; ")}.`;
  return new PapaError("invalid-payload", message, { eventName, problems });
}
