import { HEADER, type ReceivedEvent, readAttempt } from "@papa-events/core/transport";
import type { Message } from "amqplib";
import { hasBrokerHeaders, withoutBrokerHeaders } from "./properties.ts";
import { isLeakedRetry, rejectionsFrom } from "./x-death.ts";

type RawHeaders = Readonly<Record<string, unknown>>;

const NO_HEADERS: RawHeaders = {};
/** A timestamp above this is in milliseconds, not in seconds. */
const MAX_TIMESTAMP_S = 100_000_000_000;

/** The queue that a message came from. */
export interface Origin {
  readonly exchange: string;
  readonly queue: string;
  /** The name of an event that lost its own on the way. */
  readonly fallbackName: string;
  /** The first number of the broker's version. */
  readonly majorVersion: number;
}

/** A message from a use case's queue, understood. */
export interface ReceivedMessage {
  /** `leaked`: another use case's retry. `own-name`: an event that merely has the queue's name. */
  readonly kind: "event" | "leaked" | "own-name";
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly redeliveries: number;
}

/** Reads a message from a use case's queue. Its headers tell who published it: this library, the original or anybody. */
export function readMessage(message: Message, origin: Origin): ReceivedMessage {
  const { fields, properties, content } = message;
  const headers: RawHeaders = properties.headers ?? NO_HEADERS;
  const { exchange, queue } = origin;
  const published = fields.exchange === exchange && fields.routingKey !== queue;
  if (published && !hasBrokerHeaders(headers)) {
    // The fast path, which nearly every message takes.
    const event = eventOf(message, fields.routingKey, headers);
    return { kind: "event", event, attempt: readAttempt(headers), redeliveries: 0 };
  }
  const rejected = rejectionsFrom(headers, queue);
  const ownHeaders = withoutBrokerHeaders(headers);
  const namedLikeQueue = fields.exchange === exchange && fields.routingKey === queue && !isReturn(headers);
  const name = published || namedLikeQueue ? fields.routingKey : nameFrom(headers, rejected.name, origin);
  const leaked = published && isLeakedRetry(headers, fields.routingKey, queue);
  return {
    kind: namedLikeQueue ? "own-name" : leaked ? "leaked" : "event",
    event: { ...eventOf(message, name, ownHeaders), body: content },
    attempt: readAttempt(headers) + rejected.count,
    redeliveries: redeliveriesOf(headers["x-delivery-count"], rejected.count, origin.majorVersion),
  };
}

/** Finds the event's name where the routing key has become the queue's. */
export function nameFrom(headers: RawHeaders, rejectedName: string | undefined, origin: Origin): string {
  const kept = headers[HEADER.type];
  if (typeof kept === "string" && kept !== "") return kept;
  return rejectedName ?? origin.fallbackName;
}

/** Makes the event of a message, with its id and time from AMQP's own properties. */
export function eventOf(message: Message, name: string, headers: RawHeaders): ReceivedEvent {
  const { messageId, timestamp } = message.properties;
  return {
    name,
    id: typeof messageId === "string" ? messageId : undefined,
    time: typeof timestamp === "number" ? (timestamp < MAX_TIMESTAMP_S ? timestamp * 1_000 : timestamp) : undefined,
    headers,
    body: message.content,
  };
}

/** Whether a message has been in the queue before: a retry of the original, a forwarded or a redriven event. */
function isReturn(headers: RawHeaders): boolean {
  return (
    headers["x-death"] !== undefined ||
    headers[HEADER.attempt] !== undefined ||
    headers[HEADER.forwarded] !== undefined ||
    headers[HEADER.redriven] !== undefined
  );
}

/**
 * Counts how often the message was handed out and came back unsettled. RabbitMQ 4 counts the original's rejections too,
 * and carries the count through the retry queue before it starts again at the next return. RabbitMQ 3 counts returns
 * only.
 */
function redeliveriesOf(count: unknown, rejected: number, majorVersion: number): number {
  if (typeof count !== "number" || !(count > 0)) return 0;
  return majorVersion >= 4 && count >= rejected ? count - rejected : count;
}
