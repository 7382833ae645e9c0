import type { Capabilities } from "@papa-events/core/transport";

/** What Kafka promises through this transport. */
export const capabilities: Capabilities = {
  // Kafka's transactions would make these one step, at a half to a fifth of the throughput.
  atomicOutputs: false,
  atomicMoves: false,
  // An offset carries no count of deliveries.
  countsCrashes: false,
  declarationsComplete: true,
  durability: "replicas",
  // Topics are listed once a second, then the group is joined anew.
  discovery: 3_000,
  exclusive: "until-evicted",
  publishing: { eventsPerCall: 500, callsInFlight: 8, bytesPerCall: 4 * 1_048_576 },
};
