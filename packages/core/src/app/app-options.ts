import { assertCatalogue } from "../catalogue/define-events.ts";
import type { Catalogue, NoCatalogue } from "../catalogue/types.ts";
import type { Wrap } from "../handler/handler.ts";
import type { SettlementListeners } from "../handling/settler.ts";
import { consoleLogger, guarded, LOG_METHODS, type Logger } from "../logging/logger.ts";
import {
  assertFunctionOption,
  assertKnownOptions,
  booleanOption,
  integerOption,
  invalidOption,
} from "../options/check-options.ts";
import { describe } from "../options/describe.ts";
import { type Duration, toMilliseconds } from "../options/duration.ts";
import type { Unwanted } from "../publishing/unwanted-events.ts";
import type { DelayFunction, RetryDelay } from "../retry/retry-delay.ts";
import type { Transport } from "../transport/transport.ts";
import { checkedRetry, checkedWraps } from "../use-cases/definition.ts";
import { MAX_PAYLOAD_BYTES } from "../wire/payload.ts";

/** What an app is made of. Only `transport` is needed. */
export interface PapaAppOptions<C extends Catalogue | NoCatalogue = NoCatalogue> extends SettlementListeners {
  /** The broker: `memory()`, `amqp(uri)`, `kafka(uri)`, `redisStreams(uri)`, or `transportFromUri(uri)`. */
  readonly transport: Transport;
  /** Names the app to the broker and in `ce_source`; `"papa-events"` unless set. */
  readonly name?: string | undefined;
  /** The typed catalogue, from `defineEvents`. */
  readonly events?: C | undefined;
  /** The most handler calls at once of each use case (H2); 20 unless set. */
  readonly concurrency?: number | undefined;
  /** Redeliveries after the first attempt (T1); 5 unless set. */
  readonly retries?: number | undefined;
  /** How long a failed event waits (T2); 10 s unless set. */
  readonly retryDelay?: RetryDelay | undefined;
  /** How long `newEvent` waits for the broker (P2); 30 s unless set. */
  readonly publishTimeout?: Duration | undefined;
  /** How long `stop` waits for running handlers (L2); 30 s unless set. */
  readonly drainTimeout?: Duration | undefined;
  /** The most bytes of a payload's JSON (P4); 1,048,576 unless set. */
  readonly maxPayloadBytes?: number | undefined;
  /** Whether payloads are checked by the catalogue before they are published; `true` unless set. */
  readonly validatePublished?: boolean | undefined;
  /** The most bytes of events that are held at once, read ahead, handled and not stored yet, outputs included (H9); 64 MiB unless set. */
  readonly maxHeldBytes?: number | undefined;
  /** How many processes an event may kill before it becomes a dead letter (T6); 5 unless set. */
  readonly crashLimit?: number | undefined;
  /**
   * What happens when the app publishes an event that no use case wants (R5): `"warn"` logs it, once a name, `"refuse"`
   * rejects with `unwanted-event`, `"accept"` is silent; `"warn"` unless set.
   */
  readonly unwanted?: Unwanted | undefined;
  /** How long `start` waits for a broker that cannot be reached yet (L4); it fails at once unless set. */
  readonly waitForBroker?: Duration | undefined;
  /** How long a declaration counts that no live instance repeats (R6); 10 min unless set. */
  readonly declarationGrace?: Duration | undefined;
  /** Where the library logs what happens; warnings and errors to the console unless set. */
  readonly logger?: Logger | undefined;
  /** The tsyringe container that classes with `@onEvent` come from; the global one unless set. */
  readonly container?: object | undefined;
  /** Around every handler, the first outermost. */
  readonly wrap?: Wrap | readonly Wrap[] | undefined;
}

/** The options with their defaults, durations in milliseconds. */
export interface AppSettings {
  readonly transport: Transport;
  readonly name: string;
  readonly catalogue: Catalogue | NoCatalogue;
  readonly concurrency: number;
  readonly retries: number;
  readonly retryDelay: DelayFunction;
  readonly publishTimeout: number;
  readonly drainTimeout: number;
  readonly maxPayloadBytes: number;
  readonly validatePublished: boolean;
  readonly maxHeldBytes: number;
  readonly crashLimit: number;
  readonly unwanted: Unwanted;
  readonly waitForBroker: number;
  readonly declarationGrace: number;
  readonly logger: Logger;
  readonly container: object | undefined;
  readonly wraps: readonly Wrap[];
  readonly listeners: SettlementListeners;
}

const WHERE = "PapaApp";
const OPTIONS = [
  "transport",
  "name",
  "events",
  "concurrency",
  "retries",
  "retryDelay",
  "publishTimeout",
  "drainTimeout",
  "maxPayloadBytes",
  "validatePublished",
  "maxHeldBytes",
  "crashLimit",
  "unwanted",
  "waitForBroker",
  "declarationGrace",
  "logger",
  "container",
  "wrap",
  "onRetry",
  "onDeadLetter",
];

/** @throws PapaError `invalid-option` */
export function appSettings(options: PapaAppOptions<Catalogue | NoCatalogue>): AppSettings {
  assertKnownOptions(options, OPTIONS, WHERE);
  assertTransport(options.transport);
  assertFunctionOption(options.onRetry, `${WHERE}: onRetry`);
  assertFunctionOption(options.onDeadLetter, `${WHERE}: onDeadLetter`);
  const { retries = 5, retryDelay = () => 10_000 } = checkedRetry(options, WHERE);
  return {
    transport: options.transport,
    name: checkedName(options.name),
    catalogue: checkedEvents(options.events),
    concurrency: integerOption(options.concurrency, 20, `${WHERE}: concurrency`, 1),
    retries,
    retryDelay,
    publishTimeout: toMilliseconds(options.publishTimeout ?? "30s", `${WHERE}: publishTimeout`),
    drainTimeout: toMilliseconds(options.drainTimeout ?? "30s", `${WHERE}: drainTimeout`),
    maxPayloadBytes: integerOption(options.maxPayloadBytes, MAX_PAYLOAD_BYTES, `${WHERE}: maxPayloadBytes`, 1),
    validatePublished: booleanOption(options.validatePublished, true, `${WHERE}: validatePublished`),
    maxHeldBytes: integerOption(
      options.maxHeldBytes,
      MAX_HELD_BYTES,
      `${WHERE}: maxHeldBytes`,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    crashLimit: integerOption(options.crashLimit, 5, `${WHERE}: crashLimit`, 1),
    unwanted: checkedUnwanted(options.unwanted),
    waitForBroker: toMilliseconds(options.waitForBroker ?? 0, `${WHERE}: waitForBroker`),
    declarationGrace: checkedGrace(options.declarationGrace),
    logger: checkedLogger(options.logger),
    container: checkedContainer(options.container),
    wraps: checkedWraps(options.wrap, WHERE),
    listeners: { onRetry: options.onRetry, onDeadLetter: options.onDeadLetter },
  };
}

function assertTransport(transport: unknown): void {
  if (typeof (transport as Partial<Transport> | undefined)?.connect === "function") return;
  const hint = typeof transport === "string" ? ", or transportFromUri(url) for a URL" : "";
  throw invalidOption(`${WHERE}: transport`, `a transport is needed, such as memory() or amqp(uri)${hint}`);
}

/** The most bytes that an app holds, unless it sets another number (H9). */
const MAX_HELD_BYTES = 67_108_864;

const UNWANTED: readonly unknown[] = ["warn", "refuse", "accept"];

function checkedUnwanted(unwanted: Unwanted = "warn"): Unwanted {
  if (UNWANTED.includes(unwanted)) return unwanted;
  throw invalidOption(`${WHERE}: unwanted`, `${describe(unwanted)} is none of "warn", "refuse" and "accept"`);
}

/** A declaration has to outlive the pauses of its own process, or it would be withdrawn while its instance lives. */
const MIN_GRACE_MS = 1_000;

function checkedGrace(grace: Duration = "10m"): number {
  const milliseconds = toMilliseconds(grace, `${WHERE}: declarationGrace`);
  if (milliseconds >= MIN_GRACE_MS) return milliseconds;
  throw invalidOption(`${WHERE}: declarationGrace`, `${milliseconds} ms is too short; give at least "1s"`);
}

/** No control characters: the name shows up in brokers' lists and logs. */
const NAME = /^[^\p{Cc}\p{Cs}]{1,100}$/u;

function checkedName(name: unknown): string {
  if (name === undefined) return "papa-events";
  if (typeof name === "string" && NAME.test(name)) return name;
  throw invalidOption(`${WHERE}: name`, "a string of 1 to 100 characters is needed");
}

/** Recognised by its shape, since core knows no container. */
function checkedContainer(container: unknown): object | undefined {
  if (container === undefined) return undefined;
  const { resolve, createChildContainer } = Object(container) as Record<string, unknown>;
  if (typeof resolve === "function" && typeof createChildContainer === "function") return container as object;
  throw invalidOption(
    `${WHERE}: container`,
    "a tsyringe container is needed, such as container.createChildContainer()",
  );
}

function checkedEvents(events: unknown): Catalogue | NoCatalogue {
  if (events === undefined) return undefined;
  assertCatalogue(events, `${WHERE}: events`);
  return events;
}

function checkedLogger(logger: Logger | undefined): Logger {
  if (logger === undefined) return consoleLogger;
  const methods = Object(logger) as Partial<Logger>;
  const missing = LOG_METHODS.find((method) => typeof methods[method] !== "function");
  if (missing !== undefined)
    throw invalidOption(`${WHERE}: logger`, `it has no method "${missing}"; console and pino loggers fit`);
  return guarded(logger);
}
