import type { Capabilities } from "@papa-events/core/transport";

/** What a file promises. Every step is one transaction. */
export const capabilities: Capabilities = {
  atomicOutputs: true,
  atomicMoves: true,
  countsRedeliveries: true,
  declarationsComplete: true,
  addressedForwarding: true,
  // A row may have 1 GB. Headers are kept as JSON, which quotes them.
  headers: { maxBytes: 1_048_576, perHeader: 6 },
  durability: "disk",
  discovery: 0,
  exclusive: "while-leased",
  // All that is published in one turn is one transaction, and while it is written nothing else runs.
  publishing: { eventsPerCall: 256, callsInFlight: 4, bytesPerCall: 4 * 1_048_576 },
};
