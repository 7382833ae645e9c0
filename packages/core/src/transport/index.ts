/**
 * What writers of transports import: the interface, and what the core does for every one of them.
 *
 * @packageDocumentation
 */
export type { Logger, LogMethod } from "../logger.ts";
export { assertKnownOptions, integerOption, invalidOption } from "../options/check-options.ts";
export { toMilliseconds } from "../retry/duration.ts";
export { PatternTrie } from "../routing/pattern-trie.ts";
export { EventReader, readAttempt } from "../wire/decode.ts";
export { HEADER } from "../wire/header-names.ts";
export type { Capabilities } from "./capabilities.ts";
export { type CancelTimer, type Clock, systemClock } from "./clock.ts";
export type {
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterStore,
  Revive,
  StoredDeadLetter,
} from "./dead-letter-store.ts";
export type { Delivery, OnDelivery, Settlement, Subscription } from "./delivery.ts";
export type { EncodedEvent, Headers, ReceivedEvent } from "./event.ts";
export type {
  Connection,
  ConnectionStatus,
  ConnectOptions,
  QueueStats,
  ShownPattern,
  Transport,
  Unconfirmed,
  UseCaseDeclaration,
} from "./transport.ts";
