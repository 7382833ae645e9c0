import type { PublishOptions } from "@papa-events/core";
import { invalidLine, type JsonLine } from "./json-lines.ts";

type EventOfLine = { readonly name: string; readonly payload: unknown } & PublishOptions;

const KEYS: ReadonlySet<string> = new Set(["name", "payload", "headers", "id"]);

/** Headers of a dead letter that are the library's or a broker's, which nobody may publish with. */
const NOT_THE_USERS =
  /^(?:ce_|papa_|content-type$|exception$|x-death$|x-(?:first|last)-death-|x-delivery-count$|x-opt-|x-stream-|b?cc$)/i;

/** The event of a line to publish, also where `papa dlq export` wrote it. @throws CliError `invalid-input` */
export function eventOf({ number, value }: JsonLine): EventOfLine {
  const { name, payload, headers, id } = "eventName" in value ? eventOfDeadLetter(value) : value;
  const unknown = "eventName" in value ? undefined : Object.keys(value).find((key) => !KEYS.has(key));
  if (unknown !== undefined)
    throw invalidLine(number, `unknown member "${unknown}"; an event has ${[...KEYS].join(", ")}`);
  if (typeof name !== "string") throw invalidLine(number, '"name" is missing, or no string');
  if (payload === undefined)
    throw invalidLine(number, '"payload" is missing; an event that has none is published with null');
  if (headers !== undefined && !isHeaders(headers)) throw invalidLine(number, '"headers" is not an object of strings');
  if (id !== undefined && typeof id !== "string") throw invalidLine(number, '"id" is not a string');
  return { name, payload, ...(headers === undefined ? {} : { headers }), ...(id === undefined ? {} : { id }) };
}

/** The event it was, with its id: what has handled it before can tell that it comes again. */
function eventOfDeadLetter({ eventName, payload, headers, eventId }: JsonLine["value"]): Record<string, unknown> {
  const kept = Object.entries(headers ?? {}).filter(([name]) => !NOT_THE_USERS.test(name));
  return { name: eventName, payload, headers: Object.fromEntries(kept), id: eventId };
}

function isHeaders(value: unknown): value is Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((each) => typeof each === "string");
}
