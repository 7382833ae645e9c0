import { isPapaError, PapaError } from "@papa-events/core";
import { withoutArguments } from "./without-arguments.ts";

const TRANSPORT = "redis-streams";

/**
 * Replies of a server that loads its data, elects a primary, is full or runs a long script, and of one whose operator has ended
 * ours: a later try may succeed.
 */
const TRANSIENT =
  /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|NOGOODSLAVE|MISCONF|OOM|MOVED|ASK|UNBLOCKED)\b|Script killed by user/;
/** Of a command within a script the server says it in other words, and Redis 7.0 in others again. */
const ACCESS_REFUSED =
  /^(?:WRONGPASS|NOAUTH|NOPERM)\b|invalid password|invalid username-password|ACL failure in script|The user executing the script can't/i;
/** Codes of Node.js for a wrong certificate or protocol, which another try cannot fix. */
const TLS = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** Maps what the server, ioredis or Node.js threw to an error of the library. */
export function toPapaError(thrown: unknown, address: string): PapaError {
  if (isPapaError(thrown)) return thrown;
  const cause = thrown instanceof Error ? withoutArguments(thrown) : new Error(String(thrown));
  const text = messageOf(cause);
  if (isBug(cause))
    return failed(`Talking to the server at ${address} failed: ${withoutPeriod(text)}.`, cause, address);
  if (ACCESS_REFUSED.test(text)) {
    const message = `The server at ${address} refuses access: ${withoutPeriod(text)}.`;
    return new PapaError("access-refused", message, { transport: TRANSPORT, address }, { cause });
  }
  if (isReply(cause)) {
    if (text.startsWith("WRONGTYPE")) return wrongType(cause);
    return failed(`The server at ${address} refuses the command: ${withoutPeriod(text)}.`, cause, address);
  }
  const code = codeOf(cause);
  if (TLS.test(code)) {
    const other = code.includes("SSL") || code === "EPROTO";
    const hint = other ? "the port does not speak TLS, or speaks another version of it" : code;
    return failed(`TLS with the server at ${address} failed: ${hint}.`, cause, address, false);
  }
  // A server with as many clients as it may have says so and closes, mostly before that is read.
  if (code === "ECONNRESET" || code === "EPIPE" || text === "Connection is closed.") {
    const hint = "is it Redis, does the port speak TLS (rediss:), may it have another client (maxclients)?";
    return failed(`The server at ${address} closed the connection; ${hint}`, cause, address);
  }
  return failed(`The server at ${address} cannot be reached: ${withoutPeriod(text)}.`, cause, address);
}

/** Makes the error of a command that was under way when its connection was lost: its outcome is unknown. */
export function connectionLostError(address: string, cause?: unknown): PapaError {
  const message = `The connection to the server at ${address} is lost.`;
  const options = { retryable: true, cause: withoutArguments(cause) };
  return new PapaError("connection-failed", message, { transport: TRANSPORT, address }, options);
}

/** Whether an error is the server's reply. Any other that is no bug means that the connection is lost. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether neither the server nor the connection has to do with an error, but what was made of an event, or for it. */
export function isBug(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

/** Whether the same command may succeed later. */
export function isTransient(error: unknown): boolean {
  if (isPapaError(error)) return error.retryable;
  return isReply(error) ? TRANSIENT.test(error.message) : !isBug(error);
}

/** Whether the queue or its group is missing and must be declared again. A failover, too, ends reads as `UNBLOCKED`. */
export function isQueueMissing(error: unknown): boolean {
  return isReply(error) && /^(?:NOGROUP|UNBLOCKED the stream key)/.test(error.message);
}

export function unsupportedBroker(problem: string): PapaError {
  return new PapaError("unsupported-broker", `${problem}.`, { transport: TRANSPORT, problem });
}

export function topologyConflict(key: string, found: string, expected: string): PapaError {
  const difference = `it is a ${found} and a ${expected} is needed`;
  const message = `The server has the key "${key}", but ${difference}. Remove it, or use another prefix.`;
  return new PapaError("topology-conflict", message, { object: key, difference });
}

export function otherShards(key: string, found: number, wanted: number): PapaError {
  const difference = `it says ${found}, and this app is set to ${wanted}`;
  const message = `The namespace has ${found} ${found === 1 ? "shard" : "shards"} (key "${key}"), and this app is set to ${wanted}. All its apps must agree: leave out the option shards, or use another prefix.`;
  return new PapaError("topology-conflict", message, { object: key, difference });
}

export function unknownUseCase(useCase: string): PapaError {
  return new PapaError("unknown-use-case", `No app has declared a use case "${useCase}" on this server.`, { useCase });
}

function wrongType(cause: Error): PapaError {
  const difference = "it is of another type";
  const object = "a key of this namespace";
  const message = `The server has ${object}, but ${difference}.`;
  return new PapaError("topology-conflict", message, { object, difference }, { cause });
}

function failed(message: string, cause: Error, address: string, retryable = isTransient(cause)): PapaError {
  return new PapaError("connection-failed", message, { transport: TRANSPORT, address }, { cause, retryable });
}

/** A host with several addresses fails with an error for each, and a message of its own that says nothing. */
function messageOf(error: Error): string {
  const { errors } = error as { errors?: unknown };
  if (!Array.isArray(errors) || errors.length === 0) return error.message;
  const messages = errors.map((each) => (each instanceof Error ? each.message : String(each)));
  return [...new Set(messages)].join(", ");
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

function withoutPeriod(text: string): string {
  return text.trim().replace(/[.?]$/, "");
}
