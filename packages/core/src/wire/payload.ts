import { isUtf8 } from "node:buffer";
import { PapaError } from "../errors/papa-error.ts";
import type { ReceivedEvent } from "../transport/event.ts";
import { OwnEvent } from "./encode.ts";
import { errorText } from "./error-text.ts";

/** The most bytes of a payload's JSON, unless an app sets another number (P4). */
export const MAX_PAYLOAD_BYTES = 1_048_576;

/**
 * Writes the payload as JSON (P4).
 *
 * @throws PapaError `payload-not-json`, `payload-too-large`
 */
export function encodePayload(eventName: string, payload: unknown, maxBytes: number): string {
  const json = stringify(eventName, payload);
  // A string has at least as many bytes as characters: most oversized ones need no copy to be seen.
  if (json.length > maxBytes) throw tooLarge(eventName, Buffer.byteLength(json), maxBytes);
  // And at most three times as many.
  if (json.length * 3 > maxBytes) {
    const bytes = Buffer.byteLength(json);
    if (bytes > maxBytes) throw tooLarge(eventName, bytes, maxBytes);
  }
  return json;
}

function stringify(eventName: string, payload: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(payload);
  } catch (error) {
    // V8 draws a cycle over several lines; the first says what it is.
    const [reason = ""] = errorText(error).message.split("\n");
    throw notJson(eventName, reason, error);
  }
  if (json === undefined) throw notJson(eventName, `${withoutAny(payload)} has no JSON; null has`);
  // A Map or a Set becomes `{}` in silence: only where one may have is it worth a look.
  if (json.includes("{}")) {
    const lost = withoutJson(payload);
    if (lost !== undefined) throw notJson(eventName, `${lost} has no JSON; make an array or an object of it`);
  }
  if (json.includes("__proto__") && hasProtoKey(json))
    throw notJson(eventName, 'a key is called "__proto__", which receivers refuse');
  return json;
}

/** Names a payload of which `JSON.stringify` makes nothing at all. */
function withoutAny(payload: unknown): string {
  if (payload === undefined) return "undefined";
  return typeof payload === "object" ? "what its toJSON() gives" : `a ${typeof payload}`;
}

/** How deep a payload is searched for what JSON writes as `{}`. */
const MAX_DEPTH = 20;

/** Finds a Map, a Set or the like, with the path to it; what has a `toJSON` says itself what it is. */
function withoutJson(value: unknown, path = "payload", depth = 0): string | undefined {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return undefined;
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return undefined;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (UNWRITTEN.has(tag)) return `${tag === "Error" || tag === "ArrayBuffer" ? "an" : "a"} ${tag} at ${path}`;
  for (const [key, member] of Object.entries(value)) {
    const found = withoutJson(member, `${path}.${key}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Kinds of objects of which JSON writes nothing. */
const UNWRITTEN: ReadonlySet<string> = new Set([
  "Error",
  "Map",
  "Set",
  "WeakMap",
  "WeakSet",
  "Promise",
  "RegExp",
  "ArrayBuffer",
]);

/** What {@link decodePayload} makes of a body. */
export type DecodedPayload = { readonly payload: unknown } | { readonly problem: string };

/**
 * Parses a received body; says what is wrong with one that is no JSON in UTF-8 (H5). A payload with a `__proto__`
 * key is refused too: code that merges it into an object would change that object's prototype.
 */
export function decodePayload(event: Pick<ReceivedEvent, "body" | "text">): DecodedPayload {
  // What this process has written needs no second look.
  if (event instanceof OwnEvent) return { payload: JSON.parse(event.text) };
  const json = event.text ?? textOf(event.body);
  if (json === "") return { problem: "the body is not JSON: it is empty" };
  // Broken UTF-8 shows as replacement characters, though a publisher may have sent such; most bodies have none.
  if (json.includes("\ufffd") && !isUtf8(event.body)) return { problem: "the body is not UTF-8" };
  try {
    const payload: unknown = JSON.parse(json);
    if (mayHaveProtoKey(json) && hasProtoKey(json)) return { problem: 'the body has a key called "__proto__"' };
    return { payload };
  } catch (error) {
    return { problem: `the body is not JSON: ${(error as Error).message}` };
  }
}

function textOf(body: Uint8Array): string {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return bytes.toString();
}

/** A quick look first; any character of the key may also be written as an escape. */
function mayHaveProtoKey(json: string): boolean {
  return json.includes("__proto__") || json.includes("\\u00");
}

function hasProtoKey(json: string): boolean {
  let found = false;
  JSON.parse(json, (key, value: unknown) => {
    if (key === "__proto__") found = true;
    return value;
  });
  return found;
}

function notJson(eventName: string, problem: string, cause?: unknown): PapaError {
  return new PapaError(
    "payload-not-json",
    `The payload of "${eventName}" cannot be written as JSON: ${problem}.`,
    { eventName, problem },
    { cause },
  );
}

function tooLarge(eventName: string, bytes: number, limit: number): PapaError {
  const message = `The payload of "${eventName}" has ${bytes} bytes of JSON, and ${limit} are allowed; send a reference to it, or set maxPayloadBytes.`;
  return new PapaError("payload-too-large", message, { eventName, bytes, limit });
}
