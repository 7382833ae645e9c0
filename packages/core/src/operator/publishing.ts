import type { NoCatalogue } from "../catalogue/types.ts";
import { PapaError } from "../errors/papa-error.ts";
import type { Logger } from "../logging/logger.ts";
import { EventMaker, type PublishOptions } from "../publishing/event-maker.ts";
import type { PublishableEvent } from "../publishing/output-event.ts";
import type { Published } from "../publishing/outstanding.ts";
import { Publisher } from "../publishing/publisher.ts";
import { UnwantedEvents } from "../publishing/unwanted-events.ts";
import { systemClock } from "../transport/clock.ts";
import type { Connection } from "../transport/transport.ts";

/** How long an event may wait for its confirmation: as long as an app's, by default (P2). */
const TIMEOUT_MS = 30_000;

/** Publishes over an operator's connection, once there is something to publish. */
export class OperatorPublisher {
  readonly #connection: () => Promise<Connection>;
  readonly #source: string;
  readonly #logger: Logger;
  #open: { readonly connection: Connection; readonly maker: EventMaker; readonly publisher: Publisher } | undefined;

  constructor(connection: () => Promise<Connection>, source: string, logger: Logger) {
    this.#connection = connection;
    this.#source = source;
    this.#logger = logger;
  }

  /** @throws PapaError as `PapaApp.newEvent` (rejected) */
  async publish(name: string, payload: unknown, options: PublishOptions | undefined): Promise<Published> {
    const { maker, publisher } = this.#over(await this.#connection());
    return publisher.publish(await maker.make(name, payload, options));
  }

  /** @throws PapaError as `PapaApp.newEvents` (rejected) */
  async publishMany(events: readonly PublishableEvent<NoCatalogue>[]): Promise<Published[]> {
    const { maker, publisher } = this.#over(await this.#connection());
    return publisher.publishAll(await maker.makeAll(events));
  }

  /** Rejects what is not confirmed yet. */
  close(): void {
    this.#open?.publisher.close(new PapaError("stopped", "The operator was closed.", { operation: "publish" }));
    this.#open = undefined;
  }

  /** A closed connection is followed by another, which needs publishers of its own. */
  #over(connection: Connection) {
    if (this.#open?.connection === connection) return this.#open;
    const clock = connection.clock ?? systemClock;
    const logger = this.#logger;
    const publisher = new Publisher({ connection, clock, timeout: TIMEOUT_MS, logger, onProblem: () => {} });
    const maker = new EventMaker({
      source: this.#source,
      maxPayloadBytes: Number.POSITIVE_INFINITY,
      catalogue: undefined,
      validate: false,
      unwanted: new UnwantedEvents({ declarations: connection.declarations, unwanted: "warn", logger }),
      now: () => publisher.now(),
    });
    return (this.#open = { connection, maker, publisher });
  }
}
