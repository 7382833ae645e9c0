import { randomUUID } from "node:crypto";
import { runInContext } from "../context/current-event.ts";
import { ScopedContext } from "../context/delivery-scope.ts";
import type { EventContext } from "../context/event-context.ts";
import { isPapaError, PapaError } from "../errors/papa-error.ts";
import { collectOutputs } from "../handler/collect-outputs.ts";
import { encodeOutputs } from "../handler/encode-outputs.ts";
import { withSchema } from "../handler/with-schema.ts";
import { composeWraps } from "../handler/wraps.ts";
import { type ContextLogger, consoleLogger, eventLogger } from "../logging/logger.ts";
import { GivenUp } from "../outcome/given-up.ts";
import { EventMaker } from "../publishing/event-maker.ts";
import type { OutputEvent } from "../publishing/output-event.ts";
import type { Headers } from "../transport/event.ts";
import { MAX_PAYLOAD_BYTES } from "../wire/payload.ts";
import { boundHandler } from "./container-handler.ts";
import type { UseCaseDefinition } from "./definition.ts";

/** What {@link UseCase.handle} is given of a context; the rest has defaults. */
export type PartialContext = { readonly [K in Exclude<keyof EventContext, "payload">]?: EventContext[K] | undefined };

/** One call of a use case's handler without an app; see `UseCase.handle`. */
export async function runAlone(
  definition: UseCaseDefinition,
  payload: unknown,
  given: PartialContext,
): Promise<readonly OutputEvent[]> {
  const { name, patterns, schema, catalogue, wraps } = definition;
  const context = new PlainContext(name, given.eventName ?? patterns[0] ?? "", payload, given);
  const handler = withSchema(composeWraps(wraps, boundHandler(definition.handler, undefined)), schema, catalogue);
  try {
    const outputs = collectOutputs(await runInContext(context, handler, payload), name);
    await encodeOutputs(outputs, makerFor(definition), context);
    return outputs;
  } catch (error) {
    throw error instanceof GivenUp ? explained(error.why, definition) : error;
  } finally {
    await context.disposeScope();
  }
}

/** A pattern with wildcards is not an event name: the test has to say which event it hands over. */
function explained(why: PapaError, { name }: UseCaseDefinition): PapaError {
  if (!isPapaError(why, "unknown-event")) return why;
  const { eventName } = why.details;
  const message = `"${eventName}" is not in the catalogue of "${name}"; say which event it is: handle(payload, { eventName }).`;
  return new PapaError("unknown-event", message, { eventName });
}

/** Checks outputs as an app with the same catalogue and no other options would. */
function makerFor({ catalogue }: UseCaseDefinition): EventMaker {
  return new EventMaker({
    source: "papa-events",
    maxPayloadBytes: MAX_PAYLOAD_BYTES,
    catalogue,
    validate: true,
    now: Date.now,
  });
}

/** A context made of given values. */
class PlainContext extends ScopedContext implements EventContext {
  readonly eventName: string;
  payload: unknown;
  readonly id: string;
  readonly time: Date;
  readonly attempt: number;
  readonly useCase: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
  readonly logger: ContextLogger;

  constructor(useCase: string, eventName: string, payload: unknown, given: PartialContext) {
    super();
    this.eventName = eventName;
    this.payload = payload;
    this.id = given.id ?? randomUUID();
    this.time = given.time ?? new Date();
    this.attempt = given.attempt ?? 1;
    this.useCase = given.useCase ?? useCase;
    this.headers = given.headers ?? {};
    this.signal = given.signal ?? new AbortController().signal;
    this.logger = given.logger ?? eventLogger(consoleLogger, {});
  }
}
