/** An event as the history names it. */
export interface EventNote {
  readonly id: string;
  /** Of its plan. */
  readonly label: string;
  readonly name: string;
}

/** What a settlement says. */
export type SettlementNote =
  | { readonly kind: "done"; readonly outputs: readonly EventNote[] }
  | { readonly kind: "retry"; readonly delay: number; readonly attempt: number }
  | { readonly kind: "forward"; readonly delay: number; readonly attempt: number; readonly to?: string | undefined }
  | { readonly kind: "dead"; readonly letter: string; readonly reason: string }
  | { readonly kind: "release" };

/** How a handler call ended. */
export type Ending =
  | { readonly how: "returned"; readonly outputs: readonly string[] }
  /** Something that cannot be published. */
  | { readonly how: "returned-invalid" }
  | { readonly how: "threw"; readonly name: string; readonly message: string }
  | { readonly how: "rejected"; readonly message: string }
  | { readonly how: "postponed"; readonly delay: number };

/** A dead letter as it is listed. */
export interface LetterNote {
  readonly letter: string;
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  readonly attempts: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly error: { readonly name: string; readonly message: string };
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
}

interface QueueNote {
  readonly ready: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly dead: number;
}

/** What a use case is declared with. */
export interface UseCaseNote {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly concurrency: number;
  readonly retries: number;
  readonly retryDelay: import("../plan/plan.ts").RetryDelayPlan;
  readonly timeout: number;
}

/**
 * Something that happened. What is said of the broker is noted where it takes effect there; what is said of an app, where
 * the app or its handler does it.
 */
export type Happening =
  // What is done to them.
  | {
      readonly kind: "starts";
      readonly process: string;
      readonly service: string;
      readonly version: number;
      readonly useCases: readonly UseCaseNote[];
      readonly settings: import("../plan/plan.ts").SettingsPlan;
    }
  | { readonly kind: "started"; readonly process: string; readonly error?: string | undefined }
  | { readonly kind: "stops"; readonly process: string; readonly by: "plan" | "handler" | "finish" }
  | { readonly kind: "stopped"; readonly process: string; readonly error?: string | undefined }
  | { readonly kind: "dies"; readonly process: string; readonly of: string }
  | {
      readonly kind: "is cut off" | "is connected again" | "is paused" | "goes on";
      readonly process: string;
    }
  /** Of the first so many losses of its connection. */
  | { readonly kind: "learns that it is"; readonly process: string; readonly losses: number }
  | { readonly kind: "clock jumps"; readonly process: string; readonly by: number }
  | { readonly kind: "outage" | "outage ends" }
  | { readonly kind: "refuses" | "refuses no longer"; readonly what: string }
  | { readonly kind: "finish" }
  // Declaring.
  | {
      readonly kind: "declares";
      readonly process: string;
      readonly app: string;
      readonly useCase: string;
      readonly declaration: string;
      readonly patterns: readonly string[];
    }
  | {
      readonly kind: "withdraws";
      readonly process: string;
      readonly useCase: string;
      readonly patterns: readonly string[];
      readonly idle: number;
    }
  // Publishing.
  | {
      readonly kind: "publishes";
      readonly process: string;
      readonly call: number;
      readonly events: readonly EventNote[];
    }
  | {
      readonly kind: "published";
      readonly process: string;
      readonly call: number;
      readonly ids: readonly string[];
      readonly error?: string | undefined;
      readonly failed?: readonly string[] | undefined;
    }
  | {
      readonly kind: "stores";
      readonly process: string;
      readonly events: readonly EventNote[];
      readonly of: "publish" | "settlement";
      /** For which use cases, where that is known. */
      readonly queues?: readonly string[] | undefined;
    }
  // Consuming.
  | {
      readonly kind: "subscribes";
      readonly process: string;
      readonly useCase: string;
      readonly declaration: string;
      readonly readAhead: number;
    }
  | { readonly kind: "reads ahead"; readonly process: string; readonly useCase: string; readonly limit: number }
  | { readonly kind: "unsubscribes"; readonly process: string; readonly useCase: string }
  | {
      readonly kind: "delivers";
      readonly process: string;
      readonly useCase: string;
      readonly delivery: number;
      readonly event: EventNote;
      readonly attempt: number;
      readonly redeliveries: number;
      readonly bytes: number;
    }
  | { readonly kind: "takes back"; readonly process: string; readonly because: "died" | "cut" | "closed" }
  // Of a broker on which deliveries are lost one by one, when a lease has ended or an app has left.
  | {
      readonly kind: "loses";
      readonly process: string;
      readonly useCase: string;
      readonly delivery: number;
      readonly event: EventNote;
      /** Whether that counts as if its process had died. */
      readonly unexplained: boolean;
    }
  /** Its process lives after all. */
  | { readonly kind: "forgives"; readonly useCase: string; readonly delivery: number; readonly event: EventNote }
  /** What has waited is back in its queue, so many milliseconds after it was due. */
  | { readonly kind: "puts back"; readonly useCase: string; readonly event: EventNote; readonly late: number }
  /** The transport hands a delivery to the core. */
  | {
      readonly kind: "takes";
      readonly process: string;
      readonly useCase: string;
      readonly delivery: number;
      readonly event: EventNote;
    }
  /** What the transport tells the core of a settlement. */
  | {
      readonly kind: "is told";
      readonly process: string;
      readonly useCase: string;
      readonly delivery: number;
      readonly event: EventNote;
      readonly settlement: SettlementNote["kind"];
      readonly result: "stored" | "lost";
    }
  // Handling.
  | {
      readonly kind: "calls";
      readonly process: string;
      readonly useCase: string;
      readonly call: number;
      readonly event: EventNote;
      readonly attempt: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "ends";
      readonly process: string;
      readonly useCase: string;
      readonly call: number;
      readonly event: EventNote;
      readonly attempt: number;
      readonly ending: Ending;
      readonly clock: number;
    }
  | {
      readonly kind: "settles";
      readonly process: string;
      readonly useCase: string;
      readonly delivery: number;
      readonly event: EventNote;
      readonly settlement: SettlementNote;
      readonly bytes: number;
    }
  | {
      readonly kind: "settled";
      readonly process: string;
      readonly useCase: string;
      readonly delivery: number;
      readonly event: EventNote;
      readonly settlement: SettlementNote;
      readonly result: "stored" | "lost" | "refused" | "refused for good";
    }
  | {
      readonly kind: "tells of a retry";
      readonly process: string;
      readonly useCase: string;
      readonly event: EventNote;
      readonly attempt: number;
      readonly delay: number;
    }
  | {
      readonly kind: "tells of a dead letter";
      readonly process: string;
      readonly useCase: string;
      readonly letter: string;
      readonly event: EventNote;
      readonly reason: string;
    }
  | {
      readonly kind: "begins a trial";
      readonly process: string;
      readonly useCase: string;
      readonly id: string;
      readonly trial: string;
      /** How many of the event's trials were never taken back. */
      readonly deaths: number;
    }
  | {
      readonly kind: "takes a trial back";
      readonly process: string;
      readonly useCase: string;
      readonly id: string;
      /** All of the event's trials, where it is not given. */
      readonly trial?: string | undefined;
    }
  // Operating.
  /** An operator is told that a use case is paused, or asks for it to go on. */
  | { readonly kind: "pauses" | "resumes"; readonly useCase: string }
  | { readonly kind: "redrives"; readonly useCase: string; readonly letter: string; readonly event: EventNote }
  | { readonly kind: "purges"; readonly useCase: string; readonly letters: readonly string[] }
  // What is left at the end.
  | { readonly kind: "rests" }
  | { readonly kind: "does not rest"; readonly why: string }
  | {
      readonly kind: "health";
      readonly process: string;
      readonly healthy: boolean;
      readonly reasons: readonly string[];
    }
  | { readonly kind: "holds"; readonly useCase: string; readonly queue: QueueNote }
  | { readonly kind: "lists"; readonly useCase: string; readonly letters: readonly LetterNote[] }
  | { readonly kind: "goes wrong"; readonly rule: string; readonly what: string }
  | { readonly kind: "logs"; readonly process: string; readonly level: string; readonly message: string };

/** A happening and when it was, in milliseconds since the run began. */
export type Entry = { readonly at: number } & Happening;

/** The entries of one kind. */
export type EntryOf<K extends Happening["kind"]> = Extract<Entry, { readonly kind: K }>;
