import { type EncodedEvent, HEADER, type Headers } from "@papa-events/core/transport";
import type { Message } from "amqplib";
import { fitsShortString } from "./short-string.ts";

const NO_HEADERS: Headers = {};

/** How the CloudEvents AMQP binding spells its attributes; the second spelling is for clients that cannot write a colon. */
const CLOUD_EVENTS = ["cloudEvents:", "cloudEvents_"] as const;
const [CLOUD_EVENTS_PREFIX] = CLOUD_EVENTS;

/** What stands in an event's properties. */
const CARRIED: ReadonlySet<string> = new Set([
  HEADER.specVersion,
  HEADER.id,
  HEADER.type,
  HEADER.source,
  HEADER.time,
  HEADER.contentType,
]);

/**
 * The headers of an event that no property carries. A plain event has none, and that is half of what it costs to
 * consume one: `message_id` is its id, `type` its name, `app_id` its source, `timestamp` its time in seconds, whose
 * milliseconds stand in an id that is a UUID of version 7.
 *
 * @param cloudEvents whether to add the attributes of CloudEvents as its AMQP binding spells them
 */
export function leanHeaders(event: EncodedEvent, cloudEvents: boolean): Headers {
  const { headers } = event;
  let lean: Record<string, string> | undefined;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || (CARRIED.has(name) && isCarried(event, name, value))) continue;
    lean ??= {};
    lean[name] = value;
  }
  if (!cloudEvents) return lean ?? NO_HEADERS;
  const attributes: Record<string, string> = { ...lean };
  for (const name of CARRIED) {
    const value = headers[name];
    if (value !== undefined && name.startsWith("ce_"))
      attributes[CLOUD_EVENTS_PREFIX + name.slice("ce_".length)] = value;
  }
  return attributes;
}

function isCarried({ id, name: eventName, time }: EncodedEvent, name: string, value: string): boolean {
  switch (name) {
    case HEADER.id:
      return value === id && fitsShortString(value);
    case HEADER.type:
      return value === eventName && fitsShortString(value);
    case HEADER.source:
      return fitsShortString(value);
    case HEADER.time:
      return time % 1_000 === 0 || timeOfId(id) === time;
    case HEADER.contentType:
      return value === "application/json";
    default:
      return value === "1.0";
  }
}

/** When an event happened, by its properties, in milliseconds since 1970. */
export function timeOf({ messageId, timestamp }: Message["properties"]): number | undefined {
  if (typeof timestamp !== "number") return undefined;
  if (timestamp >= MIN_MILLISECONDS) return timestamp;
  const exact = typeof messageId === "string" ? timeOfId(messageId) : undefined;
  return exact !== undefined && Math.floor(exact / 1_000) === timestamp ? exact : timestamp * 1_000;
}

/** A timestamp from here on is in milliseconds, not in seconds. */
const MIN_MILLISECONDS = 100_000_000_000;

/** The source of an event by its properties, as a header. */
export function sourceOf({ appId }: Message["properties"]): string | undefined {
  return typeof appId === "string" && appId !== "" ? appId : undefined;
}

/** The attributes of CloudEvents that a message has in the spelling of the AMQP binding, in ours; `undefined` if it has none. */
export function cloudEventAttributes(headers: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  let found: Record<string, unknown> | undefined;
  for (const name in headers) {
    // "c": the first letter rules out nearly all headers.
    if (name.charCodeAt(0) !== 0x63) continue;
    const prefix = CLOUD_EVENTS.find((each) => name.startsWith(each));
    if (prefix === undefined) continue;
    const own = `ce_${name.slice(prefix.length)}`;
    if (CARRIED.has(own) && headers[own] === undefined) (found ??= {})[own] = headers[name];
  }
  return found;
}

/** The time in a UUID of version 7. */
function timeOfId(id: string): number | undefined {
  if (id.length !== 36 || id[14] !== "7" || id[8] !== "-" || id[13] !== "-") return undefined;
  const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return Number.isNaN(time) ? undefined : time;
}
