import { childLogger, type Logger } from "../logger.ts";
import type { Clock } from "../transport/clock.ts";
import type { Delivery } from "../transport/delivery.ts";
import type { Headers } from "../transport/event.ts";
import { EventReader } from "../wire/decode.ts";
import type { EventContext } from "./event-context.ts";
import { SettledContext } from "./settled-context.ts";

/** What the contexts of a use case share. */
export interface ContextScope {
  readonly useCase: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** What few handlers ask for, made when the first does. */
interface Rare {
  abort?: AbortController;
  time?: Date;
  headers?: Headers;
  logger?: Logger;
}

/** The context of a delivery. There is one for each event, so it holds little until it is asked for more. */
export class DeliveryContext extends SettledContext implements EventContext {
  readonly eventName: string;
  /** Set before the handler is called: the payload as its schema puts it out. */
  payload: unknown = undefined;
  /** Where the handler outlived its timeout: resolves when it really ends. */
  running: Promise<void> | undefined = undefined;
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

  get reader(): EventReader {
    this.#reader ??= new EventReader(this.#delivery.event, this.#scope.clock);
    return this.#reader;
  }

  get attempt(): number {
    return this.#delivery.attempt;
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

  get logger(): Logger {
    const rare = this.#makeRare();
    rare.logger ??= childLogger(this.#scope.logger, {
      useCase: this.useCase,
      eventName: this.eventName,
      eventId: this.id,
    });
    return rare.logger;
  }

  /** Aborts {@link signal}, also for whoever asks for it only later. */
  abort(reason: unknown): void {
    this.#abortController().abort(reason);
  }

  #abortController(): AbortController {
    const rare = this.#makeRare();
    rare.abort ??= new AbortController();
    return rare.abort;
  }

  #makeRare(): Rare {
    this.#rare ??= {};
    return this.#rare;
  }
}
