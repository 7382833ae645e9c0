import type { Capabilities } from "@papa-events/core/transport";

/** What this transport promises on Redis. */
export const capabilities: Capabilities = {
  // Up to 1 MiB and 512 events. More goes in parts, the last one with the acknowledgement: a larger script blocks the server.
  atomicOutputs: true,
  atomicMoves: true,
  countsRedeliveries: true,
  declarationsComplete: true,
  addressedForwarding: true,
  // Headers are part of a value of up to 512 MiB. In it each is quoted, and a byte of text has six at most.
  headers: { maxBytes: 16 * 1_048_576, perHeader: 6 },
  durability: "disk",
  discovery: 0,
  exclusive: "while-leased",
  // The server runs one script at a time. More events per script would make other clients wait.
  publishing: { eventsPerCall: 128, callsInFlight: 8, bytesPerCall: 1_048_576 },
};
