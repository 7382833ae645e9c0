import type { Capabilities } from "@papa-events/core/transport";

/** What RabbitMQ promises through this transport. */
export const capabilities: Capabilities = {
  // AMQP 0-9-1 has no transactions on quorum queues: outputs and moves are confirmed before the event is acknowledged.
  atomicOutputs: false,
  atomicMoves: false,
  countsRedeliveries: true,
  // AMQP cannot list bindings, and the Python original records none.
  declarationsComplete: false,
  addressedForwarding: false,
  headers: { maxBytes: 50_000, perHeader: 6 },
  durability: "replicas",
  discovery: 0,
  exclusive: "while-connected",
  // A window of about 2,000 confirms keeps the broker busy; one at a time reaches a thirtieth of its rate.
  publishing: { eventsPerCall: 256, callsInFlight: 8, bytesPerCall: 4 * 1_048_576 },
};
