import errors from "kafkajs/src/protocol/error.js";

/** Codes that kafkajs does not know yet. */
const NEWER_CODES: Readonly<Record<number, readonly [type: string, retriable: boolean]>> = {
  89: ["THROTTLING_QUOTA_EXCEEDED", true],
  100: ["UNKNOWN_TOPIC_ID", true],
};

/** An error by Kafka's own name for it, or `"CONNECTION"`, `"TIMEOUT"`, `"AUTHENTICATION"`. */
export class KafkaError extends Error {
  readonly type: string;
  /** Whether the same request may succeed later. */
  readonly retriable: boolean;

  constructor(type: string, message: string, retriable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "KafkaError";
    this.type = type;
    this.retriable = retriable;
  }
}

/** The error for a response's code; `undefined` for success. */
export function errorOfCode(code: number): KafkaError | undefined {
  if (code === 0) return undefined;
  const newer = NEWER_CODES[code];
  if (newer !== undefined) return new KafkaError(newer[0], newer[0], newer[1]);
  const { type, message, retriable } = errors.createErrorFromCode(code);
  return new KafkaError(type, message, retriable);
}
