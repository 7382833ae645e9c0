import { isPapaError, PapaError } from "@papa-events/core";
import { KafkaError } from "../wire/kafka-error.ts";

const TRANSPORT = "kafka";
/** Such an error means a wrong certificate or protocol: trying again does not help. */
const TLS_PROBLEM = /SSL|TLS|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|certificate/i;

/** Maps what the cluster or its client threw to an error of the library. */
export function papaErrorOf(thrown: unknown, address: string, object?: string): PapaError {
  if (isPapaError(thrown)) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const about = object === undefined ? "" : ` (${object})`;
  const type = thrown instanceof KafkaError ? thrown.type : "";
  const details = { transport: TRANSPORT, address };
  if (type === "AUTHENTICATION" || type.includes("AUTHORIZATION") || type.includes("SASL")) {
    const message = `The Kafka cluster at ${address} refuses access${about}: ${sentence(cause)}`;
    return new PapaError("access-refused", message, details, { cause });
  }
  if (TLS_PROBLEM.test(cause.message)) {
    const message = `TLS with the Kafka cluster at ${address} failed: ${sentence(cause)}`;
    return new PapaError("connection-failed", message, details, { cause });
  }
  if (type === "UNSUPPORTED_VERSION" || type === "KafkaJSServerDoesNotSupportApiKey") return unsupported(cause.message);
  const retryable = !(thrown instanceof KafkaError) || thrown.retriable || type === "CONNECTION";
  const message = `The Kafka cluster at ${address} cannot be used${about}: ${sentence(cause)}`;
  return new PapaError("connection-failed", message, details, { cause, retryable });
}

export function unsupported(problem: string): PapaError {
  return new PapaError("unsupported-broker", `${problem.replace(/\.$/, "")}.`, { transport: TRANSPORT, problem });
}

export function unknownUseCase(useCase: string): PapaError {
  const message = `No app has declared a use case "${useCase}" in this namespace.`;
  return new PapaError("unknown-use-case", message, { useCase });
}

export function topologyConflict(object: string, difference: string): PapaError {
  const message = `${object} is not as required: ${difference}.`;
  return new PapaError("topology-conflict", message, { object, difference });
}

/** A record that its topic does not accept alone. */
export function recordTooLarge(topic: string, eventName: string, bytes: number, cause: Error): PapaError {
  const message = `Topic "${topic}" does not accept an event of some ${bytes} bytes; raise its max.message.bytes, or lower maxPayloadBytes.`;
  // The topic's own limit is not asked for; this much is above it.
  return new PapaError("payload-too-large", message, { eventName, bytes, limit: bytes - 1 }, { cause });
}

function sentence({ message }: Error): string {
  return `${message.replace(/\.$/, "")}.`;
}
