import type { Capabilities } from "@papa-events/core/transport";

/** What this transport promises on Redis. */
export const capabilities: Capabilities = {
  atomicOutputs: true,
  atomicMoves: true,
  countsCrashes: true,
  declarationsComplete: true,
  durability: "disk",
  discovery: 0,
  exclusive: "while-leased",
  // The server runs one script at a time. More events per script would make other clients wait.
  publishing: { eventsPerCall: 128, callsInFlight: 8, bytesPerCall: 1_048_576 },
};
