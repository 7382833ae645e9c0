/**
 * What writers of transports import: the interface, and what the core does for every one of them.
 *
 * @packageDocumentation
 */
export type { Logger, LogMethod } from "./logging/logger.ts";
export { assertKnownOptions, integerOption, invalidOption } from "./options/check-options.ts";
export { toMilliseconds } from "./options/duration.ts";
export { assertPattern } from "./routing/pattern.ts";
export { PatternTrie } from "./routing/pattern-trie.ts";
export type { Administration, Finding, Tail, TailListener } from "./transport/administration.ts";
export type { Capabilities } from "./transport/capabilities.ts";
export { type CancelTimer, type Clock, systemClock } from "./transport/clock.ts";
export {
  type DeadLetterPage,
  type DeadLetterQuery,
  type DeadLetterStore,
  MAX_DEAD_LETTER_PAGE_BYTES,
  type Progress,
  type Revive,
  type Selection,
  type StoredDeadLetter,
} from "./transport/dead-letter-store.ts";
export type { Declaration, DeclarationRecord, Declarations } from "./transport/declarations.ts";
export type {
  Delivery,
  OnDelivery,
  Settled,
  Settlement,
  SubscribeOptions,
  Subscription,
} from "./transport/delivery.ts";
export { type EncodedEvent, type Headers, type ReceivedEvent, sizeOf } from "./transport/event.ts";
export type {
  Connection,
  ConnectionStatus,
  ConnectOptions,
  QueueStats,
  Transport,
  Unconfirmed,
} from "./transport/transport.ts";
export type { Trials } from "./transport/trials.ts";
export { EventReader, readAttempt } from "./wire/decode.ts";
export { HEADER } from "./wire/header-names.ts";
