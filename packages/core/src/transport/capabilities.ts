/**
 * What a transport promises beyond the contract and where it falls short of it: data for tests and docs. The
 * conformance suite tests each claim, and for what is not claimed the weaker behaviour named here.
 */
export interface Capabilities {
  /** Whether a settlement's outputs and its acknowledgement are one atomic step; else outputs are stored first, and a crash in between publishes them twice. */
  readonly atomicOutputs: boolean;
  /** Whether a settlement moves an event to its retry or dead letter in one atomic step; else a crash in between leaves it in both places. */
  readonly atomicMoves: boolean;
  /** Whether `Delivery.redeliveries` counts; else no event becomes a suspect, and a crash loop is bounded only by whoever watches it (T6). */
  readonly countsRedeliveries: boolean;
  /** Whether every program that binds patterns to a use case declares them where `Declarations.list` sees them; else an event no declaration wants is forwarded for the grace before it is dropped (R6). */
  readonly declarationsComplete: boolean;
  /** Whether an event can be forwarded to instances of one declaration; else it takes its chance among all instances of the use case (R6). */
  readonly addressedForwarding: boolean;
  /** How many bytes of headers an event may have on the way to its retry or its dead letter (D5). */
  readonly headers: {
    /** All names and values together, in UTF-8, and `perHeader` for each header. */
    readonly maxBytes: number;
    /** What the broker or its client adds to each header. */
    readonly perHeader: number;
  };
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
