/** What happens in a run, all of it, but for the order of what is ready at one time: plain data, made from a seed. */
export interface Plan {
  /** What chance decides while the run goes on is drawn from this. */
  readonly schedule: string;
  readonly network: NetworkPlan;
  readonly services: readonly ServicePlan[];
  /** By time. */
  readonly steps: readonly Step[];
  readonly finish: FinishPlan;
}

export type BrokerKind = "memory" | "redis";

/** How the way between the apps and the broker is. */
export interface NetworkPlan {
  /** Over which transport the apps run. */
  readonly broker: BrokerKind;
  /** How long a process that gives no sign of life keeps its events, on Redis, in milliseconds. */
  readonly lease: number;
  /** The longest that a message takes, in milliseconds. */
  readonly latency: number;
  /** How late a process's timers may be, in milliseconds. */
  readonly timersLate: number;
  /** Whether an event's outputs are stored in one step with its acknowledgement, else before it. */
  readonly atomicOutputs: boolean;
  /** Whether an event can be forwarded to instances of one declaration. */
  readonly addressedForwarding: boolean;
  /** Whether the broker knows all declarations there are. */
  readonly declarationsComplete: boolean;
  /** Whether an event arrives as the bytes and headers it went out with, as from a real broker. */
  readonly copies: boolean;
}

/** A service: what its instances are made of. */
export interface ServicePlan {
  readonly name: string;
  readonly settings: SettingsPlan;
  /** What a deploy changes. */
  readonly versions: readonly VersionPlan[];
}

/** In milliseconds, where they are times. */
export interface SettingsPlan {
  readonly crashLimit: number;
  readonly drainTimeout: number;
  readonly publishTimeout: number;
  readonly declarationGrace: number;
  readonly maxHeldBytes: number;
  readonly waitForBroker: number;
}

export interface VersionPlan {
  readonly useCases: readonly UseCasePlan[];
}

export interface UseCasePlan {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly retries: number;
  readonly retryDelay: RetryDelayPlan;
  readonly concurrency: number;
  /** Milliseconds; 0 for none. */
  readonly timeout: number;
}

export type RetryDelayPlan =
  | { readonly kind: "fixed"; readonly delay: number }
  | { readonly kind: "exponential"; readonly first: number; readonly jitter: number }
  | { readonly kind: "function"; readonly delay: number };

/** An event, with what the handlers of each use case do with it. */
export interface EventPlan {
  /** Names it in its payload, in the history and in the model. */
  readonly label: string;
  readonly name: string;
  /** How many bytes its payload has at least. */
  readonly bytes: number;
  /** Whether the publisher makes its id. */
  readonly ownId: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the broker delivers it once more after it was handled. */
  readonly duplicated: boolean;
  /** Whether a program without the library publishes it, with headers of its own only, and what that sends (L5, H5). */
  readonly foreign: "no" | "json" | "no json";
  /** What of it the broker refuses for good: to publish it, or to keep it with more than so many bytes of headers. */
  readonly refused: "nothing" | "publishing" | "headers";
  /** By use case; others handle it at once. */
  readonly behaviours: Readonly<Record<string, Behaviour>>;
}

/** What a handler does with an event. `takes` are milliseconds. */
export type Behaviour =
  | { readonly does: "return"; readonly takes: number; readonly outputs: readonly EventPlan[] }
  /** Calls `newEvent`, and waits for it or not. */
  | { readonly does: "publish"; readonly takes: number; readonly event: EventPlan; readonly waits: boolean }
  | { readonly does: "fail"; readonly takes: number; readonly times: number; readonly how: Failure }
  /** Throws `RetryAfter`. */
  | { readonly does: "postpone"; readonly takes: number; readonly times: number; readonly delay: number }
  /** Throws `DeadLetter`. */
  | { readonly does: "reject"; readonly takes: number; readonly times: number }
  | { readonly does: "return-invalid"; readonly takes: number; readonly what: InvalidOutput }
  /** Its process dies. */
  | { readonly does: "die"; readonly takes: number; readonly times: number }
  /** Runs for so long, or until its signal aborts, where it looks at that. */
  | {
      readonly does: "hang";
      readonly takes: number;
      readonly times: number;
      readonly onAbort: "return" | "throw" | "go on";
    }
  /** Calls `stop()` of its app, and waits for it. */
  | { readonly does: "stop"; readonly takes: number; readonly times: number };

export type Failure = "error" | "undefined" | "hostile" | "long message";
export type InvalidOutput = "name" | "shape" | "no payload" | "function";

export type Step = { readonly at: number } & StepKind;

export type StepKind =
  | {
      readonly do: "start";
      readonly process: string;
      readonly service: string;
      readonly version: number;
      readonly restart: number;
    }
  | { readonly do: "stop"; readonly process: string }
  | { readonly do: "kill"; readonly process: string }
  | {
      readonly do: "cut";
      readonly process: string;
      readonly lasts: number;
      /** Whether what is on its way arrives when it is over, and nobody learns of it before; on Redis only. */
      readonly silent?: boolean | undefined;
    }
  /** The server forgets the scripts that it has loaded. */
  | { readonly do: "forget scripts" }
  | { readonly do: "pause"; readonly process: string; readonly lasts: number }
  | { readonly do: "skew"; readonly process: string; readonly by: number }
  | { readonly do: "outage"; readonly lasts: number }
  | { readonly do: "refuse"; readonly what: Refusal; readonly lasts: number }
  | {
      readonly do: "publish";
      readonly process: string;
      readonly events: readonly EventPlan[];
      readonly together: boolean;
    }
  /** A program without the library publishes. */
  | { readonly do: "drop in"; readonly events: readonly EventPlan[] }
  /** An operator has all instances of a use case pause, for so long. */
  | { readonly do: "pause use case"; readonly useCase: string; readonly lasts: number }
  | { readonly do: "redrive"; readonly useCase: string; readonly what: "all" | "oldest" }
  | { readonly do: "purge"; readonly useCase: string; readonly what: "all" | "oldest" };

/** What the broker refuses for a while. `confirmations`: it stores events and says that it did not. */
export type Refusal = "publishes" | "confirmations" | "settlements";

/** How a run ends: those that are left go, the last versions start, and everything that is left is handled. */
interface FinishPlan {
  readonly before: "stop" | "kill" | "keep";
  readonly versions: "newest" | "all";
}
