import { assertCatalogue } from "../catalogue/define-events.ts";
import type { Catalogue, NoCatalogue } from "../catalogue/types.ts";
import type { Wrap } from "../handling/handler.ts";
import type { SettlementListeners } from "../handling/settler.ts";
import { consoleLogger, type Logger } from "../logger.ts";
import {
  assertFunctionOption,
  assertKnownOptions,
  booleanOption,
  integerOption,
  invalidOption,
} from "../options/check-options.ts";
import { type Duration, toMilliseconds } from "../retry/duration.ts";
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
  /** How long a declaration counts that no live instance shows (R6); 10 min unless set. */
  readonly declarationGrace?: Duration | undefined;
  /** Where the library tells what happens; warnings and errors to the console unless set. */
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

/** A declaration has to outlive the pauses of its own process, or it would be withdrawn while it is shown. */
const LEAST_GRACE = 1_000;

function checkedGrace(grace: Duration = "10m"): number {
  const milliseconds = toMilliseconds(grace, `${WHERE}: declarationGrace`);
  if (milliseconds >= LEAST_GRACE) return milliseconds;
  throw invalidOption(`${WHERE}: declarationGrace`, `${milliseconds} ms are too short; give at least "1s"`);
}

/** No control characters: the name shows up in brokers' lists and logs. */
const NAME = /^[^\p{Cc}\p{Cs}]{1,100}$/u;

function checkedName(name: unknown): string {
  if (name === undefined) return "papa-events";
  if (typeof name === "string" && NAME.test(name)) return name;
  throw invalidOption(`${WHERE}: name`, "a string of 1 to 100 characters is needed");
}

/** By its shape, since core knows of no container. */
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

const LOG_METHODS = ["debug", "info", "warn", "error"] as const;

function checkedLogger(logger: Logger | undefined): Logger {
  if (logger === undefined) return consoleLogger;
  const methods = Object(logger) as Partial<Logger>;
  const missing = LOG_METHODS.find((method) => typeof methods[method] !== "function");
  if (missing !== undefined)
    throw invalidOption(`${WHERE}: logger`, `it has no method "${missing}"; console and pino loggers fit`);
  return logger;
}
