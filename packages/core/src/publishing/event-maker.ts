import type { Catalogue, NoCatalogue } from "../catalogue/types.ts";
import { problemsOf, validate } from "../catalogue/validate.ts";
import { currentEvent } from "../context/current-event.ts";
import type { EventContext } from "../context/event-context.ts";
import { PapaError } from "../errors/papa-error.ts";
import { invalidOption } from "../options/check-options.ts";
import { assertEventName } from "../routing/event-name.ts";
import type { EncodedEvent } from "../transport/event.ts";
import { MAX_ID_LENGTH } from "../wire/decode.ts";
import { encodeEvent } from "../wire/encode.ts";
import { newEventId } from "../wire/event-id.ts";
import { encodePayload } from "../wire/payload.ts";
import { assertUserHeaders } from "../wire/user-headers.ts";
import type { EventToPublish } from "./output-event.ts";
import type { UnwantedEvents } from "./unwanted-events.ts";

/** What an event is published with, besides name and payload. */
export interface PublishOptions {
  /** Strings, 32 KiB in all; no name that begins with `ce_` or `papa_`, or that a broker reads. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The event's id, for publishers that make their own; a UUID unless set. */
  readonly id?: string | undefined;
  /** Reserved for scheduling. */
  readonly delay?: never;
  /** Reserved for ordering. */
  readonly key?: never;
}

export interface EventMakerOptions {
  /** Who publishes, for `ce_source`. */
  readonly source: string;
  readonly maxPayloadBytes: number;
  /** Whose names are allowed; and whose schemas, if `validate`. */
  readonly catalogue: Catalogue | NoCatalogue;
  readonly validate: boolean;
  /** Looks whether anybody wants what is published; an event made without an app is not looked at. */
  readonly unwanted?: UnwantedEvents | undefined;
  /** The time of day in milliseconds since 1970. */
  readonly now: () => number;
}

/** Checks events at the call and puts them into their wire format (P4, P5). */
export class EventMaker {
  readonly #options: EventMakerOptions;
  readonly #source: string;

  constructor(options: EventMakerOptions) {
    this.#options = options;
    this.#source = encodeURIComponent(options.source);
  }

  /**
   * Makes an event ready to be published. The payload is serialised before this returns; a promise comes back only where
   * the catalogue's schema is asynchronous, or where it is looked whether anybody wants the event.
   *
   * @param cause the event being handled; the one of the running handler unless given
   * @throws PapaError `invalid-event-name`, `unknown-event`, `payload-not-json`, `payload-too-large`,
   * `invalid-headers`, `headers-too-large`, `invalid-option`, `invalid-payload` (thrown or rejected)
   */
  make(
    name: string,
    payload: unknown,
    options: PublishOptions | undefined,
    cause?: EventContext,
  ): EncodedEvent | Promise<EncodedEvent> {
    assertEventName(name);
    const catalogue = this.#options.catalogue;
    if (catalogue !== undefined && !Object.hasOwn(catalogue, name)) throw unknownEvent(name, catalogue);
    if (options !== undefined) assertPublishOptions(options);
    const text = encodePayload(name, payload, this.#options.maxPayloadBytes);
    const time = this.#options.now();
    const event = encodeEvent({
      name,
      id: options?.id ?? newEventId(time),
      time,
      source: this.#source,
      text,
      userHeaders: options?.headers,
      cause: cause ?? currentEvent(),
    });
    const schema = this.#options.validate ? catalogue?.[name] : undefined;
    const result = schema === undefined ? undefined : validate(schema, payload);
    if (result instanceof Promise) {
      return result.then(async (checked) => {
        assertNoIssues(name, checked.issues);
        await this.#options.unwanted?.check(name);
        return event;
      });
    }
    if (result !== undefined) assertNoIssues(name, result.issues);
    const looked = this.#options.unwanted?.check(name);
    return looked === undefined ? event : looked.then(() => event);
  }

  /**
   * Events ready to be published: all of them or none.
   *
   * @throws PapaError as {@link make}; `invalid-option` for what has not the shape of an event
   */
  makeAll(events: readonly unknown[]): EncodedEvent[] | Promise<EncodedEvent[]> {
    if (!Array.isArray(events))
      throw invalidOption("newEvents", "a list of events { name, payload, headers?, id? } is needed");
    const made: (EncodedEvent | Promise<EncodedEvent>)[] = [];
    try {
      for (const [index, event] of events.entries()) {
        assertEventShape(event, `newEvents: event ${index}`);
        const { name, payload, headers, id } = event;
        const options = headers === undefined && id === undefined ? undefined : { headers, id };
        made.push(this.make(name, payload, options));
      }
    } catch (error) {
      // Asynchronous schemas may refuse others too, of which nobody would hear.
      for (const each of made) if (each instanceof Promise) each.catch(() => {});
      throw error;
    }
    return made.every(isMade) ? made : Promise.all(made);
  }
}

/** Whether an event needed no asynchronous schema, as most do: awaiting each of many costs as much as making it. */
function isMade(event: EncodedEvent | Promise<EncodedEvent>): event is EncodedEvent {
  return !(event instanceof Promise);
}

const EVENT_MEMBERS = ["name", "payload", "headers", "id"];

/** @throws PapaError `invalid-option` */
function assertEventShape(event: unknown, where: string): asserts event is EventToPublish {
  if (typeof event !== "object" || event === null)
    throw invalidOption(where, "an object { name, payload, headers?, id? } is needed");
  const unknown = Object.keys(event).find((member) => !EVENT_MEMBERS.includes(member));
  if (unknown !== undefined)
    throw invalidOption(where, `it has a member "${unknown}"; an event has ${EVENT_MEMBERS.join(", ")}`);
}

function assertNoIssues(eventName: string, issues: Parameters<typeof problemsOf>[0] | undefined): void {
  if (issues === undefined) return;
  const problems = problemsOf(issues);
  throw new PapaError(
    "invalid-payload",
    `The payload of "${eventName}" is refused by its schema: ${problems.join("; ")}.`,
    { eventName, problems },
  );
}

const KNOWN_OPTIONS = ["headers", "id"];

function assertPublishOptions(options: PublishOptions): void {
  if (typeof options !== "object" || options === null)
    throw invalidOption("publish options", "an object { headers?, id? } is needed");
  for (const name of Object.keys(options)) {
    if (KNOWN_OPTIONS.includes(name) || options[name as keyof PublishOptions] === undefined) continue;
    const why =
      name === "delay" || name === "key"
        ? "is reserved for a later version"
        : `is unknown; there are ${KNOWN_OPTIONS.join(", ")}`;
    throw invalidOption("publish options", `"${name}" ${why}`);
  }
  if (options.headers !== undefined) assertUserHeaders(options.headers);
  if (options.id !== undefined) assertId(options.id);
}

/** Printable ASCII: ids travel in headers and properties of every broker. */
const ID = /^[\x21-\x7e]+$/;

function assertId(id: unknown): void {
  if (typeof id === "string" && id.length <= MAX_ID_LENGTH && ID.test(id)) return;
  throw invalidOption(
    "publish options: id",
    `an id has 1 to ${MAX_ID_LENGTH} printable ASCII characters without spaces`,
  );
}

function unknownEvent(eventName: string, catalogue: Catalogue): PapaError {
  const close = Object.keys(catalogue).filter((known) => known.split(".")[0] === eventName.split(".")[0]);
  const hint =
    close.length === 0
      ? ""
      : `; it has ${close
          .slice(0, 5)
          .map((known) => `"${known}"`)
          .join(", ")}`;
  return new PapaError("unknown-event", `"${eventName}" is not in the app's catalogue${hint}.`, { eventName });
}
