import errors from "kafkajs/src/protocol/error.js";
import { KafkaError } from "./kafka-client.ts";

/** kafkajs's list of errors ends before these. */
const LATER: Readonly<Record<number, readonly [type: string, retriable: boolean]>> = {
  89: ["THROTTLING_QUOTA_EXCEEDED", true],
  100: ["UNKNOWN_TOPIC_ID", true],
};

/** The error for a code of an answer; `undefined` for success. */
export function errorOfCode(code: number): KafkaError | undefined {
  if (code === 0) return undefined;
  const later = LATER[code];
  if (later !== undefined) return new KafkaError(later[0], later[0], later[1]);
  const { type, message, retriable } = errors.createErrorFromCode(code);
  return new KafkaError(type, message, retriable);
}

/** What kafkajs threw. */
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

/** An authenticator's error may hold what it was given. */
function withoutSecrets({ message }: Error): Error {
  return new Error(message);
}
