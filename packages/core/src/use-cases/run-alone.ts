import { randomUUID } from "node:crypto";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { problemsOf, validate } from "../catalogue/validate.ts";
import { PapaError } from "../errors/papa-error.ts";
import { runInContext } from "../handling/current-event.ts";
import type { EventContext } from "../handling/event-context.ts";
import type { OutputEvent } from "../handling/handler.ts";
import { collectOutputs, encodeOutputs } from "../handling/outputs.ts";
import { SettledContext } from "../handling/settled-context.ts";
import { composeWraps } from "../handling/wraps.ts";
import { consoleLogger, type Logger } from "../logger.ts";
import { EventMaker } from "../publishing/event-maker.ts";
import type { Headers } from "../transport/event.ts";
import { MAX_PAYLOAD_BYTES } from "../wire/payload.ts";
import { boundHandler } from "./class-use-cases.ts";
import type { UseCaseDefinition } from "./definition.ts";
import type { PartialContext } from "./use-case.ts";

/** One call of a use case's handler without an app; see `UseCase.handle`. */
export async function runAlone(
  definition: UseCaseDefinition,
  payload: unknown,
  given: PartialContext,
): Promise<readonly OutputEvent[]> {
  const eventName = given.eventName ?? definition.patterns[0] ?? "";
  const schema = definition.schema ?? schemaInCatalogue(definition, eventName);
  const checked = schema === undefined ? { value: payload } : await validate(schema, payload);
  if (checked.issues !== undefined) {
    const problems = problemsOf(checked.issues);
    throw new PapaError("invalid-payload", `The payload is refused by the schema: ${problems.join("; ")}.`, {
      eventName,
      problems,
    });
  }
  const context = new PlainContext(definition.name, eventName, checked.value, given);
  const call = composeWraps(definition.wraps, boundHandler(definition.handler, undefined));
  try {
    const outputs = collectOutputs(await runInContext(context, call, checked.value), definition.name);
    await encodeOutputs(outputs, makerFor(definition), context);
    return outputs;
  } finally {
    await context.settled();
  }
}

/** @throws PapaError `unknown-event`, as a delivery would end */
function schemaInCatalogue({ name, catalogue }: UseCaseDefinition, eventName: string): StandardSchemaV1 | undefined {
  if (catalogue === undefined || Object.hasOwn(catalogue, eventName)) return catalogue?.[eventName];
  const message = `"${eventName}" is not in the catalogue of "${name}"; say which event it is: handle(payload, { eventName }).`;
  throw new PapaError("unknown-event", message, { eventName });
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
class PlainContext extends SettledContext implements EventContext {
  readonly eventName: string;
  readonly payload: unknown;
  readonly id: string;
  readonly time: Date;
  readonly attempt: number;
  readonly useCase: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
  readonly logger: Logger;

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
    this.logger = given.logger ?? consoleLogger;
  }
}
