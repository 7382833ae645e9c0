import type { Capabilities } from "@papa-events/core/transport";

/** What a broker in memory promises: everything, but for surviving its process. */
export const capabilities: Capabilities = {
  atomicOutputs: true,
  atomicMoves: true,
  countsRedeliveries: true,
  declarationsComplete: true,
  addressedForwarding: true,
  headers: { maxBytes: 65_536, perHeader: 8 },
  durability: "process",
  discovery: 0,
  exclusive: "while-connected",
  // A turn takes in fewer events than handlers are handed in one (up to 1,000), so that a backlog shrinks while publishers go on.
  publishing: { eventsPerCall: 256, callsInFlight: 1, bytesPerCall: 64 * 1_048_576 },
};
