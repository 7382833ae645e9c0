import { HEADER, type ReceivedEvent, readAttempt } from "@papa-events/core/transport";
import type { Message, MessageProperties } from "amqplib";
import { cloudEventAttributes, sourceOf, timeOf } from "./lean-envelope.ts";
import { hasBrokerHeaders, withoutBrokerHeaders } from "./properties.ts";
import { isLeakedRetry, rejectionsFrom } from "./x-death.ts";

type RawHeaders = Readonly<Record<string, unknown>>;

const NO_HEADERS: RawHeaders = {};

/** How often a copy in the queue came back before it was made: the broker's own count starts again with each copy. */
export const RETURNS_HEADER = "papa_returns";

/**
 * After how many returns a message is replaced by a copy. RabbitMQ 4 takes a message from the queue at its 21st return,
 * and what leaves so goes round by the original's retry queue and is destroyed there as a cycle.
 */
const MAX_RETURNS = 10;

/** The queue that a message came from. */
export interface Origin {
  readonly queue: string;
  /** The name of an event that lost its own on the way. */
  readonly fallbackName: string;
  /** Whether a binding lets through what no pattern matches. */
  readonly widened: boolean;
  /** The first number of the broker's version. */
  readonly majorVersion: number;
}

/** A message from a use case's queue, understood. */
export interface ReceivedMessage {
  /** `leaked`: another use case's retry. `doubtful`: an event that another binding than a pattern's own may have brought. */
  readonly kind: "event" | "leaked" | "doubtful";
  readonly event: ReceivedEvent;
  readonly attempt: number;
  /** How often it came back without a rejection. */
  readonly redeliveries: number;
  /** Whether it has come back so often that the broker may soon destroy it. */
  readonly worn: boolean;
  /** As it came. */
  readonly message: Message;
}

/** Reads a message from a use case's queue. Its headers tell who published it: this library, the original or anybody. */
export function readMessage(message: Message, origin: Origin): ReceivedMessage {
  const { fields, properties } = message;
  const headers: RawHeaders = properties.headers ?? NO_HEADERS;
  const { queue } = origin;
  // By any exchange but the default one, such as one that others bind to ours: the routing key is the event's name.
  const published = fields.exchange !== "" && fields.routingKey !== queue;
  if (published && !hasBrokerHeaders(headers)) {
    // The fast path, which nearly every message takes.
    const event = eventOf(message, fields.routingKey, headers);
    const kind = origin.widened ? "doubtful" : "event";
    return { kind, event, attempt: readAttempt(headers), redeliveries: 0, worn: false, message };
  }
  const rejected = rejectionsFrom(headers, queue);
  const { [RETURNS_HEADER]: returnedBefore, ...ownHeaders } = withoutBrokerHeaders(headers);
  const ours = isStoredAgain(headers);
  const namedLikeQueue =
    fields.exchange !== "" && fields.routingKey === queue && headers["x-death"] === undefined && !ours;
  const kept = published || namedLikeQueue ? fields.routingKey : keptName(properties, rejected.name);
  // The original may have rejected it since: its first rejection then says that it came by the default exchange.
  const putByHand = !ours && (fields.exchange === "" || (rejected.count > 0 && rejected.name === undefined));
  const leaked = published && isLeakedRetry(headers, fields.routingKey, queue);
  const returned = returnsIn(headers["x-delivery-count"], rejected.count, origin.majorVersion);
  return {
    kind: leaked ? "leaked" : namedLikeQueue || (published && origin.widened) ? "doubtful" : "event",
    event: eventOf(message, kept ?? origin.fallbackName, ownHeaders, kept === undefined || putByHand),
    attempt: readAttempt(headers) + rejected.count,
    redeliveries: returned + countIn(returnedBefore),
    worn: returned >= MAX_RETURNS,
    message,
  };
}

/**
 * Finds the event's name where the routing key has become the queue's, or never was another: put there by hand, say.
 * `undefined` where nothing tells it.
 */
export function keptName(
  { headers, type }: Pick<MessageProperties, "headers" | "type">,
  rejectedName: string | undefined,
): string | undefined {
  const kept: unknown = headers?.[HEADER.type];
  if (typeof kept === "string" && kept !== "") return kept;
  if (rejectedName !== undefined) return rejectedName;
  return typeof type === "string" && type !== "" ? type : undefined;
}

/**
 * Makes the event of a message, with its id, time and source from AMQP's own properties.
 *
 * @param direct whether it is the use case's whatever it is called
 */
export function eventOf(message: Message, name: string, headers: RawHeaders, direct = false): ReceivedEvent {
  return new AmqpEvent(message, name, headers, direct);
}

/** An event as it came. What few handlers look at is made when it is read. */
class AmqpEvent implements ReceivedEvent {
  readonly name: string;
  readonly direct: boolean;
  readonly #message: Message;
  readonly #received: RawHeaders;
  #headers: RawHeaders | undefined;

  constructor(message: Message, name: string, headers: RawHeaders, direct: boolean) {
    this.name = name;
    this.direct = direct;
    this.#message = message;
    this.#received = headers;
  }

  get id(): string | undefined {
    const { messageId } = this.#message.properties;
    return typeof messageId === "string" ? messageId : undefined;
  }

  get time(): number | undefined {
    return timeOf(this.#message.properties);
  }

  get body(): Buffer {
    return this.#message.content;
  }

  get headerBytes(): number {
    return bytesOf(this.#received);
  }

  get headers(): RawHeaders {
    return (this.#headers ??= this.#makeHeaders());
  }

  #makeHeaders(): RawHeaders {
    const received = this.#received;
    const attributes = cloudEventAttributes(received);
    const source = received[HEADER.source] === undefined ? sourceOf(this.#message.properties) : undefined;
    if (source === undefined && attributes === undefined) return received;
    return { ...(source === undefined ? {} : { [HEADER.source]: source }), ...received, ...attributes };
  }
}

/** About how many bytes headers have. Not by recursion: they may be nested as deep as a frame is long. */
function bytesOf(headers: object): number {
  let bytes = 0;
  const left: object[] = [headers];
  for (let table = left.pop(); table !== undefined; table = left.pop()) {
    // Asked of each delivery: `Object.entries` takes three times as long.
    for (const name in table) {
      const value: unknown = (table as Record<string, unknown>)[name];
      bytes += name.length;
      if (typeof value === "string" || value instanceof Uint8Array) bytes += value.length;
      else if (typeof value === "object" && value !== null) left.push(value);
    }
  }
  return bytes;
}

/** Whether this library has stored the message: a retry, a forwarded or a redriven event, or a copy. */
export function isStoredAgain(headers: RawHeaders): boolean {
  return (
    headers[HEADER.attempt] !== undefined ||
    headers[HEADER.forwarded] !== undefined ||
    headers[HEADER.redriven] !== undefined ||
    headers[RETURNS_HEADER] !== undefined
  );
}

/**
 * Counts how often the message was handed out and came back unsettled. RabbitMQ 4 counts the original's rejections too,
 * and carries the count through the retry queue before it starts again at the next return. RabbitMQ 3 counts returns
 * only.
 */
function returnsIn(count: unknown, rejected: number, majorVersion: number): number {
  const returned = countIn(count);
  return majorVersion >= 4 && returned >= rejected ? returned - rejected : returned;
}

function countIn(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 0;
}
