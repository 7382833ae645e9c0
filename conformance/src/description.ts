import type { Transport } from "@papa-events/core/transport";
import type { NotYet } from "./not-yet.ts";

/** Something a broker can be made to do in a test, or, in a sentence for the report, why it cannot happen there. */
export type Offered<T> = T | string;

/** A transport and its broker, as the suite needs to know them: how to reach, break and inspect them. */
export interface Description {
  /** As the report calls the transport: `"memory"`, `"rabbitmq"`. */
  readonly name: string;
  /** The broker's version, as the report calls it. */
  readonly version: string;
  /** Runs before the first test: starts a broker, say. */
  setUp?(): Promise<void>;
  /** Runs after the last test, also after failures; `failed` says whether there were any, so that logs can be kept. */
  tearDown?(failed: boolean): Promise<void>;
  /**
   * A transport for one more process on a namespace. It is called anew for each app and each connection of a test,
   * and all that it gave for one namespace meet on the broker. Namespaces match `[a-z0-9-]{1,30}`.
   */
  transport(namespace: string): Transport;
  /** Runs before a test makes anything of its namespace: gives it rights there, say. */
  prepare?(namespace: string): Promise<void>;
  /** Removes what a test left on the broker. */
  clean?(namespace: string): Promise<void>;
  readonly faults: Faults;
  /** Publishes as another program would: by the broker's own means, with no header of the library (L5). */
  readonly outside: Offered<(namespace: string, event: OutsideEvent) => Promise<void>>;
  /**
   * Headers that are not text, or come twice, as `outside` takes them and as the transport hands them out again in
   * `ReceivedEvent.headers` (L5), or why there are none.
   */
  readonly outsideHeaders?: Offered<Readonly<Record<string, unknown>>> | undefined;
  /** Makes something of another shape stand where the use case's queue would be, and resolves to its name (L1). */
  readonly conflict: Offered<(namespace: string, useCase: string) => Promise<string>>;
  /** Starts that have to be refused (L4). */
  readonly refused: Offered<readonly RefusedStart[]>;
  /** How a process of its own reaches the broker, for `kill -9` (H1, P1). */
  readonly program: Offered<ProgramAccess>;
  /** How many pairs of a pattern and a name the wildcard table tries: all 10,200, or about so many of them; 1,000 unless set. */
  readonly wildcardPairs?: "all" | number | undefined;
  /** The longest lease, heartbeat or poll interval in milliseconds, which a slow handler has to outlive (H3); 1 s unless set. */
  readonly longestLease?: number | undefined;
  /**
   * What the transport does not keep yet, and why, by rule (`"R6"`) or, better, by the beginning of a test's name. The tests
   * run all the same: one that fails is reported as "not yet", and an entry whose tests all pass fails the run.
   */
  readonly notYet?: NotYet | undefined;
  /**
   * Why the time of day of the machine that apps run on is the broker's own time (L9), if it is: a retry that is due by it
   * cannot be early.
   */
  readonly clock?: string | undefined;
  /** Among how many instances the broker can share a use case's events, as it is set up here (R8); any number unless set. */
  readonly mostInstances?: number | undefined;
  /** How long a condition may take to come true, in milliseconds; 20 s unless set. */
  readonly patience?: number | undefined;
}

/** What goes wrong between an app and its broker. */
export interface Faults {
  /** Every connection of the namespace is lost at once and can be made again at once. */
  cut(namespace: string): Promise<void>;
  /** The broker cannot be reached from the namespace until {@link reconnect}. */
  disconnect(namespace: string): Promise<void>;
  reconnect(namespace: string): Promise<void>;
  /**
   * The broker falls silent: nothing passes in either direction until {@link flow}, nothing is closed, and who connects
   * meanwhile gets no answer. Both or neither.
   */
  stall?(namespace: string): Promise<void>;
  flow?(namespace: string): Promise<void>;
  /** As if every process on the namespace were killed: what was connected stays cut off, what connects later is not. */
  crash(namespace: string): Promise<void>;
  /**
   * The broker is killed and started again on the same data, under all namespaces; resolves when it serves again. Of a
   * cluster each node, one after the other.
   */
  readonly restart: Offered<() => Promise<void>>;
  /**
   * Has the broker take no more events, under all namespaces (L7): what has to be stored is refused for now, and what is
   * there can be consumed. Resolves to what ends that, as often as it is called.
   */
  readonly fill?: Offered<(namespace: string) => Promise<() => Promise<void>>> | undefined;
  /** What an operator could delete of a namespace and a use case in it (L8), by name, and how. */
  readonly deletions?: Offered<(namespace: string, useCase: string) => Deletions> | undefined;
  /** The broker ends the consumers of a use case by itself (L3). */
  readonly cancel: Offered<(namespace: string, useCase: string) => Promise<void>>;
}

/** Things on the broker by name (`"the queue"`), and what deletes each, or why nobody can notice that it is gone. */
export type Deletions = Readonly<Record<string, Offered<() => Promise<unknown>>>>;

/** An event that another program publishes. */
export interface OutsideEvent {
  readonly name: string;
  readonly body: Uint8Array;
  /** As {@link Description.outsideHeaders} offers them; only given where it does. */
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
}

/** A start that has to be refused, clearly and without showing a secret (L4). */
export interface RefusedStart {
  /** What is wrong, such as `"wrong password"`. */
  readonly problem: string;
  readonly transport: () => Transport;
  /** The code of the error. */
  readonly code: string;
  /** What the error has to name, such as the host. */
  readonly names?: string | undefined;
  /** What the error must not contain. */
  readonly secret?: string | undefined;
}

/** How another process makes the same transport. */
export interface ProgramAccess {
  /** The module that exports `fromUri(uri): Transport`, as an absolute URL or a package name. */
  readonly module: string;
  readonly uri: (namespace: string) => string;
}
