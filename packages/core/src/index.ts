export type { PapaAppOptions } from "./app/app-options.ts";
export { type AppState, type Health, PapaApp } from "./app/papa-app.ts";
export { defineEvents, type TypeOnly, typeOnly } from "./catalogue/define-events.ts";
export type { NoEventMatches, Patterns } from "./catalogue/matching.ts";
export type { NotAnEventName, NotJson } from "./catalogue/publishable.ts";
export type { Catalogue, NameIn, NoCatalogue, PayloadIn } from "./catalogue/types.ts";
export { type DeadLetterList, type DeadLetters, deadLetters, type ListOptions } from "./dead-letters/dead-letters.ts";
export type { DeadLetterItem } from "./dead-letters/item.ts";
export type { PapaErrorCode, PapaErrorDetails } from "./errors/codes.ts";
export { type AnyPapaError, isPapaError, PapaError, type PapaErrorOptions } from "./errors/papa-error.ts";
export { currentEvent } from "./handling/current-event.ts";
export { EventContext } from "./handling/event-context.ts";
export type { EventIn, Handler, HandlerResult, OutputEvent, Wrap } from "./handling/handler.ts";
export type { Logger, LogMethod } from "./logger.ts";
export type { PublishOptions } from "./publishing/event-maker.ts";
export type { Published } from "./publishing/outstanding.ts";
export { type Duration, type DurationText, parseDuration } from "./retry/duration.ts";
export { type ExponentialOptions, exponential, type RetryDelay } from "./retry/retry-delay.ts";
export { DeadLetter, RetryAfter } from "./retry/signals.ts";
export type { QueueStats, Transport } from "./transport/transport.ts";
export { type EventFor, type ForEvents, forEvents, type UseCaseFor } from "./use-cases/for-events.ts";
export {
  type HandlingOptions,
  type OnEventOptions,
  type PartialContext,
  UseCase,
  type UseCaseOptions,
  useCase,
} from "./use-cases/use-case.ts";
export type { ErrorText } from "./wire/error-text.ts";
export type { DeadLetterReason } from "./wire/failure.ts";
