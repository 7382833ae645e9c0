import { type EncodedEvent, HEADER } from "@papa-events/core/transport";
import type { Options } from "amqplib";

/** AMQP writes the length of a short string in one byte. */
const SHORT_STRING = 255;

/**
 * What the broker writes into headers itself, or the original reads. Given back to the broker it would change what
 * happens to the event: RabbitMQ 3 believes an `x-death` that a client sends and drops what looks like a cycle, the
 * original takes a counted event for already retried, `CC` routes copies.
 */
const BROKERS_OWN = /^(?:x-death|x-(?:first|last)-death-.*|x-delivery-count|exception|cc|bcc)$/i;

/** Whether any header is the broker's; few events have one. */
export function hasBrokersHeaders(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) if (isBrokersHeader(name)) return true;
  return false;
}

/** Headers without the broker's own. */
export function withoutBrokersHeaders<V>(headers: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isBrokersHeader(name)));
}

function isBrokersHeader(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20;
  // "x", "e", "c", "b": nearly all headers are told apart by their first letter.
  return (first === 0x78 || first === 0x65 || first === 0x63 || first === 0x62) && BROKERS_OWN.test(name);
}

/** An event's AMQP properties. Never `user_id` or `expiration`: each strands or destroys the event in the original. */
export function propertiesOf(event: EncodedEvent, headers: EncodedEvent["headers"] = event.headers): Options.Publish {
  const { id, name } = event;
  const source = headers[HEADER.source];
  const properties: Options.Publish = {
    headers,
    persistent: true,
    contentType: "application/json",
    // Seconds by the protocol. In microseconds it would kill the original's connection for ever.
    timestamp: Math.max(0, Math.floor(event.time / 1000)),
  };
  if (fits(id)) properties.messageId = id;
  if (fits(name)) properties.type = name;
  if (source !== undefined && fits(source)) properties.appId = source;
  return properties;
}

/** The same for an event that is stored again, which may carry what the broker wrote into it. */
export function propertiesOfStored(event: EncodedEvent): Options.Publish {
  const properties = propertiesOf(event);
  return hasBrokersHeaders(event.headers)
    ? { ...properties, headers: withoutBrokersHeaders(event.headers) }
    : properties;
}

/** Bytes as amqplib wants them, not copied. */
export function asBuffer(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function fits(text: string): boolean {
  return text.length * 3 <= SHORT_STRING || Buffer.byteLength(text) <= SHORT_STRING;
}
