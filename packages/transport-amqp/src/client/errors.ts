import { isPapaError, PapaError } from "@papa-events/core";

/** What an error of the broker or its client is about. */
export interface ErrorContext {
  /** The broker's address, without user and password. */
  readonly address: string;
  /** The broker's object, such as `queue "log.dlq"`. */
  readonly object?: string | undefined;
}

const TRANSPORT = "amqp";
const INTERNAL_ERROR = 541;

/** Codes of Node.js for a wrong certificate or protocol, which another try cannot fix. */
const TLS = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** Maps what the broker or amqplib threw to an error of the library. */
export function toPapaError(thrown: unknown, context: ErrorContext): PapaError {
  if (isPapaError(thrown)) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { address, object } = context;
  const about = object === undefined ? "" : ` (${object})`;
  const text = cause.message;
  const code = codeOf(cause);
  if (code === 403 || code === 530) return refused(cause, address, about);
  // The broker closed the connection instead of opening the virtual host; amqplib leaves out why.
  if (text.includes("got <ConnectionClose")) {
    const vhost = decodeURIComponent(/^\w+:\/\/[^/]*\/(.*)$/.exec(address)?.[1] ?? "") || "/";
    return refused(cause, address, about, `it has no virtual host "${vhost}", or the account may not use it`);
  }
  if (code === 405 || code === 406) return conflict(cause, object ?? "an object of the broker");
  if (typeof code === "string" && TLS.test(code)) {
    const hint =
      code.includes("SSL") || code === "EPROTO" ? "the port does not speak TLS, or speaks another version of it" : code;
    return failed(`TLS with the broker at ${address} failed: ${hint}.`, cause, address, false);
  }
  if (text.includes("Socket closed abruptly during opening handshake") || code === "ECONNRESET") {
    const hint = "is it RabbitMQ, and does the port speak TLS (amqps:)?";
    return failed(`The broker at ${address} closed the connection; ${hint}`, cause, address, true);
  }
  return failed(`The broker at ${address} cannot be used${about}: ${text}.`, cause, address, true);
}

/** Makes the error of something that was under way when its connection or channel was lost: its outcome is unknown. */
export function connectionLostError(address: string, cause?: unknown): PapaError {
  const error = new PapaError(
    "connection-failed",
    `The connection to the broker at ${address} is lost.`,
    { transport: TRANSPORT, address },
    { retryable: true, cause },
  );
  lostErrors.add(error);
  return error;
}

const lostErrors = new WeakSet<PapaError>();

/** Whether an error says only that the connection was lost, so that the action may be repeated once it is back. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof PapaError && lostErrors.has(error);
}

/**
 * Whether the broker ended a connection because of a queue, as far as it says so: rather than the channel it ends the
 * connection when the queue's process has died, or cannot read a message that it has kept.
 */
export function mayBlame(lostBecause: Error | undefined, queue: string): boolean {
  if (lostBecause === undefined || codeOf(lostBecause) !== INTERNAL_ERROR) return false;
  return !lostBecause.message.includes(" queue '") || lostBecause.message.includes(` queue '${queue}'`);
}

/** Says of each address why it could not be used; what another try cannot change goes before the rest. */
export function noneCanBeUsed(errors: readonly PapaError[], address: string): PapaError {
  const definite = errors.find(({ code }) => code !== "connection-failed") ?? errors.find((each) => !each.retryable);
  const [first] = errors;
  if (definite !== undefined) return definite;
  if (first !== undefined && errors.length === 1) return first;
  const message = `None of the brokers at ${address} can be used. ${errors.map((error) => error.message).join(" ")}`;
  return new PapaError(
    "connection-failed",
    message,
    { transport: TRANSPORT, address },
    { retryable: true, cause: errors.at(-1) },
  );
}

export function unsupportedBroker(problem: string): PapaError {
  return new PapaError("unsupported-broker", `${problem}.`, { transport: TRANSPORT, problem });
}

export function unknownUseCase(useCase: string, cause?: unknown): PapaError {
  const message = `No app has declared a use case "${useCase}" on this broker.`;
  return new PapaError("unknown-use-case", message, { useCase }, { cause });
}

/** The broker's reply code, or Node.js's error code. During the handshake amqplib has it in the message only. */
export function codeOf(error: unknown): number | string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code: unknown = "code" in error ? error.code : undefined;
  if (typeof code === "number" || typeof code === "string") return code;
  const text = /\b(ACCESS[_-]REFUSED|NOT[_-]ALLOWED|PRECONDITION[_-]FAILED|NOT[_-]FOUND)\b/.exec(error.message)?.[1];
  if (text === undefined) return undefined;
  return { A: 403, N: text.startsWith("NOT_F") || text.startsWith("NOT-F") ? 404 : 530, P: 406 }[text.charAt(0)];
}

function refused(cause: Error, address: string, about: string, reason = replyText(cause)): PapaError {
  const message = `The broker at ${address} refuses access${about}: ${reason}.`;
  return new PapaError("access-refused", message, { transport: TRANSPORT, address }, { cause });
}

function conflict(cause: Error, object: string): PapaError {
  const difference = replyText(cause);
  const message = `The broker has ${object} with other properties: ${difference}.`;
  return new PapaError("topology-conflict", message, { object, difference }, { cause });
}

function failed(message: string, cause: Error, address: string, retryable: boolean): PapaError {
  return new PapaError("connection-failed", message, { transport: TRANSPORT, address }, { cause, retryable });
}

/** The broker's reply text, without what amqplib writes around it. */
function replyText({ message }: Error): string {
  const quoted = /with message "(.*)"/s.exec(message)?.[1] ?? /replyText:'?"?([^'"]*)/.exec(message)?.[1] ?? message;
  return quoted
    .replace(/^[A-Z_-]+ - /, "")
    .trim()
    .replace(/\.$/, "");
}
