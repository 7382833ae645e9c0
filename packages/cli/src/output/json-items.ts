import type { DeadLetterItem } from "@papa-events/core";
import type { TailedEvent } from "@papa-events/core/operator";

/** A dead letter as JSON has it: `body` in base64; its times become ISO 8601 by themselves. */
export function deadLetterJson(item: DeadLetterItem): object {
  return { ...item, body: base64(item.body) };
}

/** An event of a tail as JSON has it. */
export function tailedEventJson(event: TailedEvent): object {
  return { ...event, body: base64(event.body) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
