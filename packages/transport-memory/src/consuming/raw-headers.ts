import type { EncodedEvent, Headers } from "@papa-events/core/transport";

/**
 * Puts the headers of an event from outside back as they came, in their own types (L5). Whoever reads the event takes it
 * for one from outside again, and trusts no header to be text.
 */
export function withRawHeaders(event: EncodedEvent): EncodedEvent {
  const { rawHeaders, ...rest } = event;
  if (rawHeaders === undefined) return event;
  return { ...rest, headers: { ...event.headers, ...rawHeaders } as Headers };
}
