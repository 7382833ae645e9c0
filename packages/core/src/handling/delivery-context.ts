import { ScopedContext } from "../context/delivery-scope.ts";
import type { EventContext } from "../context/event-context.ts";
import { PapaError } from "../errors/papa-error.ts";
import { type ContextLogger, eventLogger, type Logger } from "../logging/logger.ts";
import type { Clock } from "../transport/clock.ts";
import type { Delivery } from "../transport/delivery.ts";
import type { Headers } from "../transport/event.ts";
import { EventReader, readRedelivered } from "../wire/decode.ts";
import { OwnEvent } from "../wire/encode.ts";

/** What the contexts of a use case share. */
export interface ContextScope {
  /** The running app it belongs to, as an identity. */
  readonly app: object;
  readonly useCase: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** What few handlers ask for, made when the first does. */
interface Rare {
  abort?: AbortController;
  time?: Date;
  headers?: Headers;
  logger?: ContextLogger;
}

/** The context of a delivery. There is one for each event, so it holds little until it is asked for more. */
export class DeliveryContext extends ScopedContext implements EventContext {
  readonly eventName: string;
  /** Set before the handler is called: the payload as its schema puts it out. */
  payload: unknown = undefined;
  /** While the handler outlives its timeout: resolves when it really ends. */
  running: Promise<void> | undefined = undefined;
  /** Why the handler is not to be called at all. */
  refusal: Error | undefined = undefined;
  /** Whether nothing counts any more that the handler does: the app has stopped and waits no longer (L2). */
  abandoned = false;
  /** How far it has come: its handler runs, its outcome is being stored and listeners are notified, or all of it is over. */
  stage: "handling" | "settling" | "over" = "handling";
  readonly #delivery: Delivery;
  readonly #scope: ContextScope;
  #reader: EventReader | undefined = undefined;
  #rare: Rare | undefined = undefined;

  constructor(delivery: Delivery, scope: ContextScope) {
    super();
    this.#delivery = delivery;
    this.#scope = scope;
    this.eventName = delivery.event.name ?? this.reader.name;
  }

  /** Whether its handler runs, also one that has outlived its timeout. */
  get occupiesWorker(): boolean {
    return this.stage === "handling" || this.running !== undefined;
  }

  get reader(): EventReader {
    this.#reader ??= new EventReader(this.#delivery.event, this.#scope.clock);
    return this.#reader;
  }

  get body(): Uint8Array {
    return this.#delivery.event.body;
  }

  get attempt(): number {
    return this.#delivery.attempt;
  }

  /** How often it has come back for no reason the broker knows of, also before it was forwarded (T6). */
  get redeliveries(): number {
    return redeliveriesOf(this.#delivery);
  }

  /** The running app whose handler this is, as an identity. */
  get app(): object {
    return this.#scope.app;
  }

  get useCase(): string {
    return this.#scope.useCase;
  }

  get id(): string {
    return this.reader.id;
  }

  get time(): Date {
    const rare = this.#makeRare();
    rare.time ??= new Date(this.reader.time);
    return rare.time;
  }

  get headers(): Headers {
    const rare = this.#makeRare();
    rare.headers ??= this.reader.userHeaders;
    return rare.headers;
  }

  get signal(): AbortSignal {
    return this.#abortController().signal;
  }

  get logger(): ContextLogger {
    const rare = this.#makeRare();
    rare.logger ??= eventLogger(this.#scope.logger, {
      useCase: this.useCase,
      eventName: this.eventName,
      eventId: this.id,
    });
    return rare.logger;
  }

  /** Has the event fail with this error, in place of calling its handler. */
  refuse(error: Error): void {
    this.refusal = error;
  }

  /** Aborts {@link signal}, also for whoever asks for it only later. */
  abort(reason: unknown): void {
    this.#abortController().abort(reason);
  }

  #abortController(): AbortController {
    const rare = this.#makeRare();
    if (rare.abort === undefined) {
      const abort = new AbortController();
      rare.abort = abort;
      this.#delivery.onLost?.((why) => abort.abort(eventLost(this.id, this.useCase, why)));
    }
    return rare.abort;
  }

  #makeRare(): Rare {
    this.#rare ??= {};
    return this.#rare;
  }
}

function eventLost(eventId: string, useCase: string, why: string): PapaError {
  const message = `The event comes back to "${useCase}" and nothing counts that this call still does: ${why}.`;
  return new PapaError("event-lost", message, { eventId, useCase }, { retryable: true });
}

/** How often an event has come back for no reason the broker knows of, also before it was forwarded (T6). */
export function redeliveriesOf({ event, redeliveries }: Delivery): number {
  // What this process has made was never forwarded, and its headers would have to be made first.
  return event instanceof OwnEvent ? redeliveries : redeliveries + readRedelivered(event.headers);
}
