import type { Capabilities } from "@papa-events/core/transport";

/** Tells what this transport promises on Kafka. */
export const capabilities: Capabilities = {
  // Kafka's transactions would make these atomic, but cost half to four fifths of the throughput.
  atomicOutputs: false,
  atomicMoves: false,
  // Kafka keeps no delivery count for an offset. Commits say what a process had handed out when it died.
  countsRedeliveries: true,
  declarationsComplete: true,
  addressedForwarding: false,
  // What the topics for retries and dead letters accept beside the largest payload, less a batch's own bytes and the key.
  headers: { maxBytes: 131_072 - 1_024, perHeader: 6 },
  durability: "replicas",
  // Topics are listed once a second. After a new one the group is joined again.
  discovery: 3_000,
  exclusive: "until-evicted",
  publishing: { eventsPerCall: 500, callsInFlight: 8, bytesPerCall: 4 * 1_048_576 },
};
