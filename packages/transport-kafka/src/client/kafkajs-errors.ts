import { KafkaError } from "../wire/kafka-error.ts";

/** Maps what kafkajs threw to a {@link KafkaError}. */
export function kafkaErrorOf(thrown: unknown): KafkaError {
  if (thrown instanceof KafkaError) return thrown;
  if (!(thrown instanceof Error)) return new KafkaError("UNKNOWN", String(thrown), false);
  const { name, message } = thrown;
  const type: unknown = "type" in thrown ? thrown.type : undefined;
  if (name === "KafkaJSSASLAuthenticationError" || (typeof type === "string" && type.includes("SASL")))
    return new KafkaError("AUTHENTICATION", message, false, withoutSecrets(thrown));
  if (name === "KafkaJSRequestTimeoutError") return new KafkaError("TIMEOUT", message, true, thrown);
  if (name === "KafkaJSConnectionError" || name === "KafkaJSConnectionClosedError")
    return new KafkaError("CONNECTION", message, true, thrown);
  const retriable = "retriable" in thrown && thrown.retriable === true;
  return new KafkaError(typeof type === "string" ? type : name, message, retriable, thrown);
}

/** An authenticator's error may carry the credentials it was given. */
function withoutSecrets({ message }: Error): Error {
  return new Error(message);
}
