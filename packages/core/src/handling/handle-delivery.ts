import { runInContext } from "../context/current-event.ts";
import type { Verdict, Verdicts } from "../declarations/verdict.ts";
import { collectOutputs } from "../handler/collect-outputs.ts";
import { encodeOutputs } from "../handler/encode-outputs.ts";
import type { Handler, HandlerResult } from "../handler/handler.ts";
import { refused } from "../handler/with-schema.ts";
import { GivenUp } from "../outcome/given-up.ts";
import { forward, HANDLED, handledWith, type Outcome } from "../outcome/outcome.ts";
import type { EventMaker } from "../publishing/event-maker.ts";
import type { FailurePolicy } from "../retry/failure-policy.ts";
import type { Clock } from "../transport/clock.ts";
import type { Delivery } from "../transport/delivery.ts";
import { encodeForward } from "../wire/forward.ts";
import { decodePayload } from "../wire/payload.ts";
import type { HeaderBudget } from "../wire/stored-again.ts";
import { callWithTimeout } from "./call-with-timeout.ts";
import type { DeliveryContext } from "./delivery-context.ts";
import type { Settler } from "./settler.ts";

/** What handling the events of one use case takes. */
export interface Handling {
  /** The handler with its schema and its wraps around it. */
  readonly handler: Handler<unknown, DeliveryContext>;
  /** Milliseconds. */
  readonly timeout: number | undefined;
  readonly verdicts: Verdicts;
  readonly policy: FailurePolicy;
  readonly settler: Settler;
  readonly maker: EventMaker;
  readonly headers: HeaderBudget;
  readonly clock: Clock;
}

/** Where a worker gets its deliveries from. */
export interface Deliveries {
  /** Takes the next one, if there is one and the worker may go on. */
  next(): Delivery | undefined;
  /** Makes the context in which it is handled. */
  enter(delivery: Delivery): DeliveryContext;
  /** Called when the handler has ended and its outcome has been handed over. */
  ended(): void;
}

/**
 * Handles deliveries one after another, each from its arrival to its settlement, until there is none. Never rejects.
 *
 * Storing an outcome is not waited for. It is one loop and not a function for each delivery because another promise for
 * each costs a twentieth of what an event in memory costs.
 */
export async function handleDeliveries(deliveries: Deliveries, handling: Handling): Promise<void> {
  const { verdicts, handler, timeout, policy, settler, maker } = handling;
  for (let delivery = deliveries.next(); delivery !== undefined; delivery = deliveries.next()) {
    // Read ahead over a connection that is lost by now: it is handled elsewhere.
    if (delivery.lost) continue;

    const context = deliveries.enter(delivery);
    let outcome: Outcome;
    try {
      if (context.refusal !== undefined) throw context.refusal;
      const verdict = verdicts.accepts(context.eventName) ? undefined : await verdicts.decide(context);
      if (verdict === undefined || verdict.kind === "handle") {
        const decoded = decodePayload(delivery.event);
        if ("problem" in decoded) throw new GivenUp("invalid-payload", refused(context, [decoded.problem]));
        const { payload } = decoded;
        const result =
          timeout === undefined
            ? await runInContext(context, handler, payload)
            : await callWithTimeout(context, handler, payload, timeout, handling.clock);
        outcome = result === undefined || context.abandoned ? HANDLED : await withOutputs(result, context, maker);
      } else {
        outcome = unaccepted(verdict, context, handling);
      }
    } catch (error) {
      outcome = context.abandoned ? HANDLED : policy.decide(context, error);
    }

    // After the drain timeout it comes too late to count (L2).
    if (!context.abandoned) settler.settle(delivery, context, outcome);
    else if (context.hasScope) await context.disposeScope();
    // A handler that outlived its timeout counts for the concurrency until it really ends (H2).
    if (context.running !== undefined) {
      await context.running;
      context.running = undefined;
    }
    deliveries.ended();
  }
}

/** What becomes of an event whose handler returned something. @throws PapaError `invalid-output` */
async function withOutputs(
  result: NonNullable<HandlerResult>,
  context: DeliveryContext,
  maker: EventMaker,
): Promise<Outcome> {
  return handledWith(await encodeOutputs(collectOutputs(result, context.useCase), maker, context));
}

/** What becomes of an event that this instance's own patterns do not match (R6). */
function unaccepted(
  verdict: Exclude<Verdict, { kind: "handle" }>,
  context: DeliveryContext,
  { clock, headers }: Handling,
): Outcome {
  switch (verdict.kind) {
    case "forward":
      return forward(encodeForward(context, clock.now(), headers, context.redeliveries), verdict.delay, verdict.to);
    case "drop":
      return HANDLED;
    case "dead":
      throw new GivenUp("unknown-event", verdict.why);
  }
}
