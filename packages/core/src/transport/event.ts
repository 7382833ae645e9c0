/** Headers as they travel: all values are strings, on every broker. */
export type Headers = Readonly<Record<string, string>>;

/**
 * An event ready to be stored: what the core hands to a transport. Immutable, and shared by all the use
 * cases it goes to. A transport stores `headers` and `body` as they are and reads nothing in them. One of `body` and
 * `text` may be made of the other when it is first read.
 */
export interface EncodedEvent {
  /** The event name, for routing; also in the headers. */
  readonly name: string;
  /** The event id, for results and logs; also in the headers. */
  readonly id: string;
  /** When the event happened, in milliseconds since 1970; also in the headers. */
  readonly time: number;
  /** All metadata. */
  readonly headers: Headers;
  /**
   * Headers of an event from outside that are not strings, as the broker gave them. A transport that can stores them in
   * their own types in place of those of the same name in `headers` (L5).
   */
  readonly rawHeaders?: Readonly<Record<string, unknown>> | undefined;
  /** The payload's JSON in UTF-8. */
  readonly body: Uint8Array;
  /** The payload's JSON, where it is at hand: a transport that writes text need not make it of `body`. */
  readonly text?: string | undefined;
}

/**
 * An event as a broker hands it out. Nothing in it is trusted: it may come from another program (L5). Each
 * {@link EncodedEvent} is one.
 */
export interface ReceivedEvent {
  /** The name by the broker's own means (a routing key, a field), where it has one; it goes before the headers. */
  readonly name?: string | undefined;
  /** An id by the broker's own means that is the same at each delivery; it is used where the headers have none. */
  readonly id?: string | undefined;
  /** The time by the broker's own means, in milliseconds since 1970; it is used where the headers have none. */
  readonly time?: number | undefined;
  /**
   * Whether somebody has put it straight into this use case's queue instead of publishing it. Then this use case handles it
   * whatever it is called, unless another declaration of it accepts the name (L5).
   */
  readonly direct?: boolean | undefined;
  /** As received: strings, bytes, lists of them, numbers, anything. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** About how many bytes the headers take: from outside they may be larger than the body (H9). */
  readonly headerBytes?: number | undefined;
  readonly body: Uint8Array;
  /** `body` as text, where that is to be had for less than `body` itself; U+FFFD stands for what is no UTF-8. */
  readonly text?: string | undefined;
}

/**
 * About how many bytes an event takes: its payload, or at least its number of characters, whatever of the two is at hand, and
 * its headers where the transport has told that.
 */
export function sizeOf(event: Pick<ReceivedEvent, "text" | "body" | "headerBytes">): number {
  // Not both: bytes may have to be made of the text first.
  return (event.text?.length ?? event.body.length) + (event.headerBytes ?? 0);
}
