import type { Capabilities } from "@papa-events/core/transport";

/** What Redis promises through this transport. */
export const capabilities: Capabilities = {
  atomicOutputs: true,
  atomicMoves: true,
  countsCrashes: true,
  declarationsComplete: true,
  durability: "disk",
  discovery: 0,
  exclusive: "while-leased",
  // More events per script cost other clients their turn on the server, which runs one script at a time.
  publishing: { eventsPerCall: 128, callsInFlight: 8, bytesPerCall: 1_048_576 },
};
