export type { PapaAppOptions } from "./app/app-options.ts";
export type { AppState, Health, HealthReason, UseCaseCounts } from "./app/health.ts";
export { PapaApp } from "./app/papa-app.ts";
export { defineEvents, type TypeOnly, typeOnly } from "./catalogue/define-events.ts";
export type { NoEventMatches, Patterns } from "./catalogue/matching.ts";
export type { NotAnEventName, NotJson } from "./catalogue/publishable.ts";
export type { Catalogue, NameIn, NoCatalogue, PayloadIn } from "./catalogue/types.ts";
export { currentEvent } from "./context/current-event.ts";
export { EventContext } from "./context/event-context.ts";
export {
  type DeadLetterList,
  type DeadLetterProgress,
  type DeadLetterSelection,
  type DeadLetters,
  deadLetters,
  type ListOptions,
  type ProgressOptions,
  type RedriveOptions,
  type SearchOptions,
} from "./dead-letters/dead-letters.ts";
export type { DeadLetterFilter } from "./dead-letters/filter.ts";
export type { DeadLetterItem } from "./dead-letters/item.ts";
export type { PapaErrorCode, PapaErrorDetails } from "./errors/codes.ts";
export { type AnyPapaError, isPapaError, PapaError, type PapaErrorOptions } from "./errors/papa-error.ts";
export type { Handler, HandlerResult, Wrap } from "./handler/handler.ts";
export { DeadLetter, RetryAfter } from "./handler/signals.ts";
export type { ContextLogger, ContextLogMethod, Logger, LogMethod } from "./logging/logger.ts";
export { type Duration, type DurationText, parseDuration } from "./options/duration.ts";
export type { PublishOptions } from "./publishing/event-maker.ts";
export type { EventIn, OutputEvent, PublishableEvent } from "./publishing/output-event.ts";
export type { Published } from "./publishing/outstanding.ts";
export type { Unwanted } from "./publishing/unwanted-events.ts";
export { type ExponentialOptions, exponential, type RetryDelay } from "./retry/retry-delay.ts";
export type { QueueStats, Transport } from "./transport/transport.ts";
export { type EventFor, type ForEvents, forEvents, type UseCaseFor } from "./use-cases/for-events.ts";
export type { PartialContext } from "./use-cases/run-alone.ts";
export { UseCase, useCase } from "./use-cases/use-case.ts";
export type { HandlingOptions, OnEventOptions, UseCaseOptions } from "./use-cases/use-case-options.ts";
export type { DeadLetterReason } from "./wire/dead-letter.ts";
export type { ErrorText } from "./wire/error-text.ts";
