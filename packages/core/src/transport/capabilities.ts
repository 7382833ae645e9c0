/**
 * What a transport promises beyond the contract and where it falls short of it: data for tests and docs. The
 * conformance suite tests each claim, and for what is not claimed the weaker behaviour named here.
 */
export interface Capabilities {
  /** Whether a settlement's outputs and its acknowledgement are one atomic step; else outputs are stored first, and a crash in between publishes them twice. */
  readonly atomicOutputs: boolean;
  /** Whether a settlement moves an event to its retry or dead letter in one atomic step; else a crash in between leaves it in both places. */
  readonly atomicMoves: boolean;
  /** Whether `Delivery.crashes` counts (T6); else a crash loop is bounded only by whoever watches it. */
  readonly countsCrashes: boolean;
  /** Whether every program that binds patterns to a use case declares them where `declarations` sees them; else an event no declaration wants is handed on for the grace before it is dropped (R6). */
  readonly declarationsComplete: boolean;
  /** What a stored event survives. */
  readonly durability: "process" | "disk" | "replicas";
  /** The longest that the first event of a name never published before may take to reach a wildcard subscriber, in milliseconds (R7). */
  readonly discovery: number;
  /**
   * Until when a slow handler keeps its event to itself (H3). `"while-leased"`: also over a lost connection that comes
   * back within the lease; the event is then not handed out again, and what it is settled with counts.
   */
  readonly exclusive: "while-connected" | "while-leased" | "until-evicted";
  /** How much publishing works best at a time (P3). */
  readonly publishing: {
    /** The most events of one `publish` call. */
    readonly eventsPerCall: number;
    /** The most `publish` calls under way at once. */
    readonly callsInFlight: number;
    /** The most bytes of payloads of one `publish` call; a larger event goes alone. */
    readonly bytesPerCall: number;
  };
}
