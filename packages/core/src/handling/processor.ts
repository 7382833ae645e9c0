import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Catalogue, NoCatalogue } from "../catalogue/types.ts";
import { problemsOf, validate } from "../catalogue/validate.ts";
import { PapaError } from "../errors/papa-error.ts";
import type { EventMaker } from "../publishing/event-maker.ts";
import type { Admission } from "../rolling/admission.ts";
import type { Clock } from "../transport/clock.ts";
import type { Delivery } from "../transport/delivery.ts";
import type { ReceivedEvent } from "../transport/event.ts";
import { decodePayload } from "../wire/payload.ts";
import { runInContext } from "./current-event.ts";
import { callWithDeadline } from "./deadline.ts";
import type { DeliveryContext } from "./delivery-context.ts";
import type { FailurePolicy } from "./failure-policy.ts";
import type { Handler, HandlerResult } from "./handler.ts";
import { HANDLED, handledWith, Outcome } from "./outcome.ts";
import { collectOutputs, encodeOutputs } from "./outputs.ts";

/**
 * After how many crashes an event is a dead letter (T6). Well below the 20 returns at which RabbitMQ 4 takes a
 * message away by itself.
 */
const CRASH_LIMIT = 10;

export interface ProcessorOptions {
  readonly useCase: string;
  /** With the wraps around it. */
  readonly handler: Handler;
  readonly schema: StandardSchemaV1 | undefined;
  readonly catalogue: Catalogue | NoCatalogue;
  /** Milliseconds. */
  readonly timeout: number | undefined;
  readonly admission: Admission;
  readonly policy: FailurePolicy;
  readonly maker: EventMaker;
  readonly clock: Clock;
}

/** From a delivery to what becomes of it: admit, decode, validate, handle, check the outputs. Settles nothing itself. */
export class Processor {
  readonly #options: ProcessorOptions;

  constructor(options: ProcessorOptions) {
    this.#options = options;
  }

  /**
   * Does what comes before the handler and calls it: an outcome where it does not come to that, else what the handler
   * returned. To be awaited, then handed to {@link finish}, or to {@link fail} what it throws: one asynchronous function
   * less per event than if this awaited the handler itself.
   */
  begin(delivery: Delivery, context: DeliveryContext): Outcome | HandlerResult | Promise<Outcome | HandlerResult> {
    const { admission, policy, schema: ownSchema, catalogue } = this.#options;
    const { event, crashes } = delivery;
    if (!admission.wants(context.eventName)) return admission.judge(context, event.body);
    if (crashes >= CRASH_LIMIT) return policy.dead(context, event.body, "crash-loop", this.#crashLoop(crashes));
    const decoded = decodePayload(event);
    if ("problem" in decoded)
      return policy.dead(context, event.body, "invalid-payload", this.#refused(context, [decoded.problem]));
    const schema = ownSchema ?? schemaIn(catalogue, context.eventName);
    if (schema === undefined) {
      if (catalogue !== undefined) return policy.dead(context, event.body, "unknown-event", this.#unknown(context));
      return this.#call(context, decoded.payload);
    }
    const validated = validate(schema, decoded.payload);
    if (validated instanceof Promise) return validated.then((checked) => this.#callChecked(context, event, checked));
    return this.#callChecked(context, event, validated);
  }

  /** What becomes of the event whose handler returned `result`. @throws PapaError `invalid-output` */
  finish(context: DeliveryContext, result: Outcome | HandlerResult): Outcome | Promise<Outcome> {
    if (result === undefined) return HANDLED;
    if (result instanceof Outcome) return result;
    const { useCase, maker } = this.#options;
    return encodeOutputs(collectOutputs(result, useCase), maker, context).then(handledWith);
  }

  /** What becomes of an event whose handler, or what was around it, threw. */
  fail(delivery: Delivery, context: DeliveryContext, error: unknown): Outcome {
    return this.#options.policy.failed(context, delivery.event.body, error);
  }

  #callChecked(
    context: DeliveryContext,
    event: ReceivedEvent,
    checked: StandardSchemaV1.Result<unknown>,
  ): Outcome | HandlerResult | Promise<HandlerResult> {
    if (checked.issues === undefined) return this.#call(context, checked.value);
    return this.#options.policy.dead(
      context,
      event.body,
      "invalid-payload",
      this.#refused(context, problemsOf(checked.issues)),
    );
  }

  #call(context: DeliveryContext, payload: unknown): HandlerResult | Promise<HandlerResult> {
    const { handler, timeout, clock } = this.#options;
    context.payload = payload;
    if (timeout === undefined) return runInContext(context, handler, payload);
    return callWithDeadline(context, timeout, clock, () => runInContext(context, handler, payload));
  }

  #refused(context: DeliveryContext, problems: readonly string[]): PapaError {
    const message = `The payload of "${context.eventName}" is refused: ${problems.join("; ")}.`;
    return new PapaError("invalid-payload", message, { eventName: context.eventName, problems });
  }

  #unknown(context: DeliveryContext): PapaError {
    const message = `"${context.eventName}" matches a pattern of "${this.#options.useCase}" and is not in the app's catalogue; add it there, or give the use case a schema of its own.`;
    return new PapaError("unknown-event", message, { eventName: context.eventName });
  }

  #crashLoop(crashes: number): PapaError {
    const { useCase } = this.#options;
    const message = `The process that handled the event for "${useCase}" died or lost its connection ${crashes} times.`;
    return new PapaError("crash-loop", message, { useCase, crashes });
  }
}

/** An event may be called `constructor` or `__proto__`, which every object has. */
function schemaIn(catalogue: Catalogue | NoCatalogue, eventName: string): StandardSchemaV1 | undefined {
  return catalogue !== undefined && Object.hasOwn(catalogue, eventName) ? catalogue[eventName] : undefined;
}
