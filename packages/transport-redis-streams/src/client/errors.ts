import { isPapaError, PapaError } from "@papa-events/core";

const TRANSPORT = "redis-streams";

/** The server's answers that pass: it loads its data, elects a primary, is full, runs a long script. */
const FOR_NOW =
  /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|NOGOODSLAVE|MISCONF|OOM|MOVED|ASK|UNBLOCKED)\b/;
const REFUSED = /^(?:WRONGPASS|NOAUTH|NOPERM)\b|invalid password|invalid username-password/i;
/** The errors of Node.js that tell that a certificate or the protocol is wrong: trying again changes nothing. */
const TLS = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** What the server, its client or Node.js threw, as an error of the library. */
export function papaErrorOf(thrown: unknown, address: string): PapaError {
  if (isPapaError(thrown)) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const text = cause.message;
  const code = codeOf(cause);
  const details = { transport: TRANSPORT, address };
  if (REFUSED.test(text))
    return new PapaError("access-refused", `The server at ${address} refuses access: ${words(text)}.`, details, {
      cause,
    });
  if (isReply(cause)) {
    const wrongType = text.startsWith("WRONGTYPE");
    if (wrongType) {
      const difference = "it is of another type";
      const object = "a key of this namespace";
      return new PapaError(
        "topology-conflict",
        `The server has ${object}, but ${difference}.`,
        { object, difference },
        { cause },
      );
    }
    const message = `The server at ${address} does not do it: ${words(text)}.`;
    return new PapaError("connection-failed", message, details, { cause, retryable: FOR_NOW.test(text) });
  }
  if (TLS.test(code)) {
    const hint = code.includes("SSL") || code === "EPROTO" ? "that port speaks no TLS, or another version of it" : code;
    return new PapaError("connection-failed", `TLS with the server at ${address} failed: ${hint}.`, details, { cause });
  }
  if (code === "ECONNRESET" || text === "Connection is closed.") {
    const hint = "is it Redis, and does the port speak TLS (rediss:)?";
    const message = `The server at ${address} closed the connection; ${hint}`;
    return new PapaError("connection-failed", message, details, { cause, retryable: true });
  }
  const message = `The server at ${address} cannot be reached: ${words(text)}.`;
  return new PapaError("connection-failed", message, details, { cause, retryable: true });
}

/** The connection was lost while something was under way: whether it was done is unknown. */
export function lostError(address: string, cause?: unknown): PapaError {
  const message = `The connection to the server at ${address} is lost.`;
  return new PapaError("connection-failed", message, { transport: TRANSPORT, address }, { retryable: true, cause });
}

/** Whether an error is the server's answer; any other one of the client says that the connection is not there. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether doing the same again later may succeed. */
export function passes(error: unknown): boolean {
  return isPapaError(error) ? error.retryable : !isReply(error) || FOR_NOW.test(error.message);
}

/** The queue is gone, or has no group: it is to be declared again. */
export function isGone(error: unknown): boolean {
  return isReply(error) && /^(?:NOGROUP|UNBLOCKED)/.test(error.message);
}

export function unsupported(problem: string): PapaError {
  return new PapaError("unsupported-broker", `${problem}.`, { transport: TRANSPORT, problem });
}

export function conflict(key: string, found: string, wanted: string): PapaError {
  const difference = `it is a ${found} and a ${wanted} is needed`;
  const message = `The server has the key "${key}", but ${difference}. Remove it, or use another prefix.`;
  return new PapaError("topology-conflict", message, { object: key, difference });
}

export function unknownUseCase(useCase: string): PapaError {
  return new PapaError("unknown-use-case", `No app has declared a use case "${useCase}" on this server.`, { useCase });
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The server's words without the end of their sentence. */
function words(text: string): string {
  return text.trim().replace(/[.?]$/, "");
}
