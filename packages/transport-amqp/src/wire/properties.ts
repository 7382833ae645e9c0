import { type EncodedEvent, HEADER } from "@papa-events/core/transport";
import type { MessageProperties, Options } from "amqplib";
import { fitsShortString } from "./short-string.ts";

/**
 * Headers that the broker writes, or that the original reads. Sent back they would change what happens to the event.
 * RabbitMQ 3 believes an `x-death` that a client sends, and drops what looks like a cycle. The original takes an event
 * with a count for one already retried. `CC` routes copies.
 */
const BROKER_HEADERS = /^(?:x-death|x-(?:first|last)-death-.*|x-delivery-count|x-acquired-count|exception|cc|bcc)$/i;

/** Whether any header is one of the broker's; few events have one. */
export function hasBrokerHeaders(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) if (isBrokerHeader(name)) return true;
  return false;
}

/** Copies headers, without those of the broker. */
export function withoutBrokerHeaders<V>(headers: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isBrokerHeader(name)));
}

function isBrokerHeader(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20;
  // "x", "e", "c", "b": the first letter rules out nearly all headers.
  return (first === 0x78 || first === 0x65 || first === 0x63 || first === 0x62) && BROKER_HEADERS.test(name);
}

/** Makes an event's AMQP properties. Never `user_id` or `expiration`, which strand or destroy it in the original. */
export function propertiesOf(event: EncodedEvent, headers: EncodedEvent["headers"] = event.headers): Options.Publish {
  const { id, name } = event;
  const source = event.headers[HEADER.source];
  const properties: Options.Publish = {
    headers,
    persistent: true,
    contentType: "application/json",
    // The protocol says seconds. Microseconds would kill the original's connection for ever.
    timestamp: Math.max(0, Math.floor(event.time / 1000)),
  };
  if (fitsShortString(id)) properties.messageId = id;
  if (fitsShortString(name)) properties.type = name;
  if (source !== undefined && fitsShortString(source)) properties.appId = source;
  return properties;
}

/**
 * Makes the properties of an event that is stored again: without the broker's headers, and with what somebody else has
 * set besides, in its own types.
 *
 * @param received the properties it came with
 */
export function propertiesOfStored(event: EncodedEvent, received: MessageProperties): Options.Publish {
  const { headers, rawHeaders } = event;
  const properties = { ...propertiesOf(event), ...foreignProperties(received) };
  if (rawHeaders !== undefined)
    return { ...properties, headers: { ...withoutBrokerHeaders(headers), ...sendableHeaders(rawHeaders) } };
  return hasBrokerHeaders(headers) ? { ...properties, headers: withoutBrokerHeaders(headers) } : properties;
}

/** What an outsider says of the body and of where answers go: this library reads none of it. */
export function foreignProperties(received: MessageProperties): Options.Publish {
  const { contentType, contentEncoding, replyTo } = received;
  const properties: Options.Publish = {};
  if (typeof contentType === "string") properties.contentType = contentType;
  if (typeof contentEncoding === "string") properties.contentEncoding = contentEncoding;
  if (typeof replyTo === "string") properties.replyTo = replyTo;
  return properties;
}

/** Copies received headers as they may be sent again, without those of the broker. */
export function sendableHeaders(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const sendable = withoutBrokerHeaders(headers);
  for (const [name, value] of Object.entries(sendable)) sendable[name] = sendableValue(value);
  return sendable;
}

/**
 * Makes a received value one that amqplib sends and the original can send again. amqplib sends -128 to -1 in a type that the
 * original cannot, and throws over numbers that it takes for integers too large.
 */
export function sendableValue(value: unknown): unknown {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) return { "!": "double", value };
    return value < 0 && value >= -128 ? { "!": "int", value } : value;
  }
  if (Array.isArray(value)) return value.map(sendableValue);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || "!" in value) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, sendableValue(each)]));
}

/** Views bytes as the `Buffer` that amqplib wants, without a copy. */
export function asBuffer(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
