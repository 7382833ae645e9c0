import { HEADER, type ReceivedEvent, readAttempt } from "@papa-events/core/transport";
import type { Message } from "amqplib";
import { hasBrokersHeaders, withoutBrokersHeaders } from "./properties.ts";
import { isLeakedRetry, rejections } from "./x-death.ts";

type RawHeaders = Readonly<Record<string, unknown>>;

const NO_HEADERS: RawHeaders = {};
/** Later than this in seconds is a time in milliseconds. */
const SECONDS = 100_000_000_000;

/** What is known of the queue that a message came from. */
export interface Origin {
  readonly exchange: string;
  readonly queue: string;
  /** The name of an event that lost its own on the way. */
  readonly fallbackName: string;
  /** The first number of the broker's version. */
  readonly major: number;
}

/** What a message in a use case's queue is. */
export interface Arrival {
  /** `leaked`: another use case's retry. `own-name`: an event that is merely called like the queue. */
  readonly kind: "event" | "leaked" | "own-name";
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly crashes: number;
}

/** Reads a message of a use case's queue: who published it, this library, the original or anybody, shows in its headers. */
export function readArrival(message: Message, origin: Origin): Arrival {
  const { fields, properties, content } = message;
  const headers: RawHeaders = properties.headers ?? NO_HEADERS;
  const { exchange, queue } = origin;
  const published = fields.exchange === exchange && fields.routingKey !== queue;
  if (published && !hasBrokersHeaders(headers)) {
    // What nearly every message is.
    const event = received(message, fields.routingKey, headers);
    return { kind: "event", event, attempt: readAttempt(headers), crashes: 0 };
  }
  const rejected = rejections(headers, queue);
  const own = withoutBrokersHeaders(headers);
  const called = fields.exchange === exchange && fields.routingKey === queue && !isReturn(headers);
  const name = published || called ? fields.routingKey : nameIn(headers, rejected.name, origin);
  return {
    kind: kindOf(published, called, headers, fields.routingKey, queue),
    event: { ...received(message, name, own), body: content },
    attempt: readAttempt(headers) + rejected.count,
    crashes: crashesOf(headers["x-delivery-count"], rejected.count, origin.major),
  };
}

/** The event's name where the routing key has become the queue's. */
export function nameIn(headers: RawHeaders, rejectedName: string | undefined, origin: Origin): string {
  const kept = headers[HEADER.type];
  if (typeof kept === "string" && kept !== "") return kept;
  return rejectedName ?? origin.fallbackName;
}

/** Name, id, time, headers and body, by AMQP's own means. */
export function received(message: Message, name: string, headers: RawHeaders): ReceivedEvent {
  const { messageId, timestamp } = message.properties;
  return {
    name,
    id: typeof messageId === "string" ? messageId : undefined,
    time: typeof timestamp === "number" ? (timestamp < SECONDS ? timestamp * 1_000 : timestamp) : undefined,
    headers,
    body: message.content,
  };
}

function kindOf(
  published: boolean,
  called: boolean,
  headers: RawHeaders,
  routingKey: string,
  queue: string,
): Arrival["kind"] {
  if (called) return "own-name";
  return published && isLeakedRetry(headers, routingKey, queue) ? "leaked" : "event";
}

/** Whether a message has been in the queue before: the original's retry, a hand-on, a redrive. */
function isReturn(headers: RawHeaders): boolean {
  return (
    headers["x-death"] !== undefined ||
    headers[HEADER.attempt] !== undefined ||
    headers[HEADER.handedOn] !== undefined ||
    headers[HEADER.redriven] !== undefined
  );
}

/**
 * How often the message was handed out and came back unsettled. RabbitMQ 4 counts the original's rejections too and
 * carries the count through its retry queue, then begins again at the next return; RabbitMQ 3 counts returns only.
 */
function crashesOf(count: unknown, rejected: number, major: number): number {
  if (typeof count !== "number" || !(count > 0)) return 0;
  return major >= 4 && count >= rejected ? count - rejected : count;
}
