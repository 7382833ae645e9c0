import { randomUUID } from "node:crypto";
import { problemsOf, validate } from "../catalogue/validate.ts";
import { PapaError } from "../errors/papa-error.ts";
import { runInContext } from "../handling/current-event.ts";
import type { EventContext } from "../handling/event-context.ts";
import type { OutputEvent } from "../handling/handler.ts";
import { collectOutputs, invalidOutput } from "../handling/outputs.ts";
import { SettledContext } from "../handling/settled-context.ts";
import { composeWraps } from "../handling/wraps.ts";
import { consoleLogger, type Logger } from "../logger.ts";
import { problemOfEventName } from "../routing/event-name.ts";
import type { Headers } from "../transport/event.ts";
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
  const schema = definition.schema ?? definition.catalogue?.[eventName];
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
    for (const { name } of outputs) {
      const problem = problemOfEventName(name);
      if (problem !== undefined) throw invalidOutput(definition.name, `${JSON.stringify(name)} is no event name: ${problem}`);
    }
    return outputs;
  } finally {
    await context.settled();
  }
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
