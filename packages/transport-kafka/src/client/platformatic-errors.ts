import { KafkaError } from "../wire/kafka-error.ts";

/** What `@platformatic/kafka` puts into its errors besides a message. */
interface Details {
  readonly code?: unknown;
  /** Of an error that a broker sent: Kafka's name for it, and what else the broker said. */
  readonly apiId?: unknown;
  readonly serverErrorMessage?: unknown;
  readonly errors?: readonly unknown[];
}

/**
 * Maps what `@platformatic/kafka` threw to a {@link KafkaError}. It wraps errors in one another, and a lost connection in a
 * failed login: the innermost one says what happened.
 */
export function platformaticErrorOf(thrown: unknown, mechanism = ""): KafkaError {
  const innermost = innermostOf(thrown);
  if (innermost instanceof KafkaError) return innermost;
  const { message } = innermost;
  const { code, apiId, serverErrorMessage } = innermost as Details;
  if (code === "PLT_KFK_AUTHENTICATION" || (typeof apiId === "string" && apiId.includes("SASL"))) {
    const why = typeof serverErrorMessage === "string" && serverErrorMessage !== "" ? serverErrorMessage : message;
    // Without the error itself, which may carry the credentials.
    return new KafkaError("AUTHENTICATION", `SASL ${mechanism.toUpperCase()} authentication failed: ${why}`, false);
  }
  if (typeof apiId === "string") return new KafkaError(apiId, message, false);
  return new KafkaError("CONNECTION", `Connection error: ${message}`, true, innermost);
}

function innermostOf(thrown: unknown): Error {
  let error = thrown instanceof Error ? thrown : new Error(String(thrown));
  for (;;) {
    const next = error.cause ?? (error as Details).errors?.[0];
    if (error instanceof KafkaError || !(next instanceof Error)) return error;
    error = next;
  }
}
