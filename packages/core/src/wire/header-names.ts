/**
 * The headers of the wire format, the same on every broker, all values strings:
 *
 *     event    = ce_specversion ce_id ce_type ce_source ce_time content-type [trace] [cause] *user
 *     trace    = traceparent [tracestate]
 *     cause    = papa_cause
 *     retry    = event papa_attempt failure
 *     forward  = (event / retry) papa_forwarded papa_forwarded_since [papa_redelivered]
 *     dead     = event papa_attempt papa_use_case papa_reason failure papa_error_stack
 *     failure  = papa_first_failed_at papa_last_failed_at papa_error_name papa_error_message
 *     redriven = event papa_redriven [papa_mended]
 *
 * What somebody has put straight into a use case's queue says papa_direct from its first retry, forward or dead letter on.
 * What did not fit the broker is named in papa_cut and papa_dropped_headers.
 *
 * `ce_*` are those of CloudEvents 1.0 in binary mode as its Kafka binding spells them
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md), the trace
 * is that of https://www.w3.org/TR/trace-context/.
 */
export const HEADER = {
  specVersion: "ce_specversion",
  id: "ce_id",
  type: "ce_type",
  source: "ce_source",
  time: "ce_time",
  contentType: "content-type",
  traceParent: "traceparent",
  traceState: "tracestate",
  /** The id of the event whose handler published this one. */
  cause: "papa_cause",
  /** The number of the attempt this delivery is; absent on the first. */
  attempt: "papa_attempt",
  firstFailedAt: "papa_first_failed_at",
  lastFailedAt: "papa_last_failed_at",
  errorName: "papa_error_name",
  errorMessage: "papa_error_message",
  errorStack: "papa_error_stack",
  reason: "papa_reason",
  useCase: "papa_use_case",
  /** How often the event has been forwarded to another instance of its use case (R6). */
  forwarded: "papa_forwarded",
  /** When it was first forwarded. */
  forwardedSince: "papa_forwarded_since",
  /** How often it had come back unexplained before it was forwarded (T6). */
  redelivered: "papa_redelivered",
  /** Set where somebody has put the event straight into its use case's queue (L5). */
  direct: "papa_direct",
  /** How often the event has been redriven. */
  redriven: "papa_redriven",
  /** When the event was last redriven with another payload than it was published with. */
  mended: "papa_mended",
  /** Names of headers left out because they were too large to be stored again. */
  dropped: "papa_dropped_headers",
  /** What was cut so that the event could be stored again, such as `stack, 2 headers` (D5). */
  cut: "papa_cut",
} as const;

/** What belongs to one passage through a queue and not to the event; removed when the event starts anew. */
export const DELIVERY_HEADERS: readonly string[] = [
  HEADER.attempt,
  HEADER.firstFailedAt,
  HEADER.lastFailedAt,
  HEADER.errorName,
  HEADER.errorMessage,
  HEADER.errorStack,
  HEADER.reason,
  HEADER.useCase,
  HEADER.forwarded,
  HEADER.forwardedSince,
  HEADER.redelivered,
  HEADER.cut,
];

/** Header names that reach into an object's prototype when copied carelessly. */
export const UNSAFE_NAMES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Whether a header is the library's and not the user's. */
export function isOwnHeader(name: string): boolean {
  return name.startsWith("ce_") || name.startsWith("papa_") || name === HEADER.contentType;
}
