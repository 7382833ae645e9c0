import type { Capabilities } from "@papa-events/core/transport";
import { DEAD_LETTER_BYTES } from "./wire/dead-letter-properties.ts";
import { FIELD_BYTES, MAX_TABLE_BYTES } from "./wire/table-size.ts";

/** What RabbitMQ promises through this transport. */
export const capabilities: Capabilities = {
  // AMQP 0-9-1 has no transactions on quorum queues: outputs and moves are confirmed before the event is acknowledged.
  atomicOutputs: false,
  atomicMoves: false,
  countsRedeliveries: true,
  // AMQP cannot list bindings, and the Python original records none.
  declarationsComplete: false,
  addressedForwarding: false,
  headers: { maxBytes: MAX_TABLE_BYTES - DEAD_LETTER_BYTES, perHeader: FIELD_BYTES },
  durability: "replicas",
  discovery: 0,
  exclusive: "while-connected",
  // A window of about 2,000 confirms keeps the broker busy; one at a time reaches a thirtieth of its rate.
  publishing: { eventsPerCall: 256, callsInFlight: 8, bytesPerCall: 4 * 1_048_576 },
};
