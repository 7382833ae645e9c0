import { runInContext } from "../context/current-event.ts";
import type { Verdicts } from "../declarations/verdict.ts";
import { collectOutputs } from "../handler/collect-outputs.ts";
import { encodeOutputs } from "../handler/encode-outputs.ts";
import type { Handler } from "../handler/handler.ts";
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

/**
 * Handles one delivery, from its arrival to its settlement. Never rejects.
 *
 * Resolves when the handler has ended and its outcome has been handed over to be stored, which the next event need not
 * wait for.
 */
export async function handleDelivery(delivery: Delivery, context: DeliveryContext, handling: Handling): Promise<void> {
  const { verdicts, handler, timeout, policy, settler, maker } = handling;
  // Read ahead over a connection that is lost by now: it is handled elsewhere.
  if (delivery.lost) return;

  let outcome: Outcome;
  try {
    if (context.refusal !== undefined) throw context.refusal;
    if (verdicts.accepts(context.eventName)) {
      const decoded = decodePayload(delivery.event);
      if ("problem" in decoded) throw new GivenUp("invalid-payload", refused(context, [decoded.problem]));
      const { payload } = decoded;
      const result =
        timeout === undefined
          ? await runInContext(context, handler, payload)
          : await callWithTimeout(context, handler, payload, timeout, handling.clock);
      outcome =
        result === undefined
          ? HANDLED
          : handledWith(await encodeOutputs(collectOutputs(result, context.useCase), maker, context));
    } else {
      outcome = await unaccepted(context, handling);
    }
  } catch (error) {
    outcome = policy.decide(context, error);
  }
  // Whatever it is, it comes too late to count (L2).
  if (context.abandoned) return;

  settler.settle(delivery, context, outcome);
  // A handler that outlived its timeout counts for the concurrency until it really ends (H2).
  if (context.running !== undefined) await context.running;
}

/** What becomes of an event that this instance's own patterns do not match (R6). */
async function unaccepted(context: DeliveryContext, { verdicts, clock, headers }: Handling): Promise<Outcome> {
  const verdict = await verdicts.decide(context);
  switch (verdict.kind) {
    case "forward":
      return forward(encodeForward(context, clock.now(), headers), verdict.delay, verdict.to);
    case "drop":
      return HANDLED;
    case "dead":
      throw new GivenUp("unknown-event", verdict.why);
  }
}
