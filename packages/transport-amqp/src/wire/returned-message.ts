import { HEADER } from "@papa-events/core/transport";
import type { Options } from "amqplib";
import { foreignProperties, sendableHeaders } from "./properties.ts";
import { RETURNS_HEADER, type ReceivedMessage } from "./received-message.ts";

/**
 * Makes the properties of a copy that takes the message's place in its queue. The broker counts nothing against it yet,
 * so it says itself how often it came back, if nothing has explained that, and what the broker's headers would have said: its name and its attempt.
 */
export function returnedProperties(
  { message, event, attempt }: ReceivedMessage,
  redeliveries: number,
): Options.Publish {
  const { messageId, timestamp, type, appId, correlationId } = message.properties;
  const kept = { messageId, timestamp, type, appId, correlationId };
  const headers: Record<string, unknown> = sendableHeaders(event.headers);
  if (event.name !== undefined) headers[HEADER.type] = event.name;
  if (attempt > 1) headers[HEADER.attempt] = String(attempt);
  if (event.direct === true) headers[HEADER.direct] = "1";
  headers[RETURNS_HEADER] = redeliveries;
  return {
    ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)),
    ...foreignProperties(message.properties),
    headers,
    persistent: true,
  };
}
