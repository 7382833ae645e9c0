import { PapaError } from "@papa-events/core";
import { type EncodedEvent, HEADER, type Unconfirmed } from "@papa-events/core/transport";
import { isLost } from "../client/errors.ts";
import type { Link } from "../client/reconnecting-connection.ts";
import type { Topology } from "../declarations/topology.ts";
import type { MandatoryMessage, Publisher } from "../publishing/publisher.ts";
import { type Delays, delayStep } from "../waiting/delays.ts";
import { letterProperties } from "../wire/dead-letter-message.ts";
import { deadQueue, delayQueue, type Names } from "../wire/names.ts";
import { propertiesOfStored } from "../wire/properties.ts";

/** How often a queue that is missing is made again before that is told. */
const TRIES = 3;

export interface StorageOptions {
  readonly names: Names;
  readonly topology: Topology;
  readonly delays: Delays;
  /** The connection that publishes. */
  readonly link: () => Link;
  readonly outputs: Publisher;
  readonly moves: Publisher;
}

/** Whether the delivery is still this instance's to settle. */
export type StillMine = () => boolean;

/**
 * Stores what becomes of deliveries. Each member resolves to whether that is confirmed stored, and to `false` when the
 * delivery got lost meanwhile; while only the publishing connection is down it waits for it and sends again.
 *
 * @throws PapaError what the broker refuses
 */
export class Storage {
  readonly #options: StorageOptions;

  constructor(options: StorageOptions) {
    this.#options = options;
  }

  /** Publishes a handler's outputs. */
  async outputs(events: readonly EncodedEvent[], mine: StillMine): Promise<boolean> {
    let left = events;
    return this.#untilStored(mine, async () => {
      const unconfirmed: readonly Unconfirmed[] = await this.#options.outputs.publish(left);
      const first = unconfirmed.find(({ error }) => !isLost(error)) ?? unconfirmed[0];
      left = unconfirmed.flatMap(({ index }) => left[index] ?? []);
      if (first !== undefined) throw first.error;
    });
  }

  /** Puts an event where it waits for so long, and then goes back to its use case only. */
  delayed(useCase: string, delay: number, event: EncodedEvent, mine: StillMine): Promise<boolean> {
    const { names, delays } = this.#options;
    const queue = names.queue(useCase);
    const step = delayStep(delay);
    const properties = propertiesOfStored(event);
    const send = (routingKey: string) => ({ exchange: "", routingKey, body: event.body, properties });
    if (step === 0) return this.#untilStored(mine, () => this.#deliver(send(queue), async () => {}));
    return this.#untilStored(mine, async () => {
      await delays.ready(useCase, step);
      await this.#deliver(send(delayQueue(queue, step)), async () => {
        delays.forget(useCase, step);
        await delays.ready(useCase, step);
      });
    });
  }

  /** Puts an event among its use case's dead letters. */
  dead(useCase: string, id: string, event: EncodedEvent, mine: StillMine): Promise<boolean> {
    const { names, topology } = this.#options;
    const stored = propertiesOfStored(event);
    const traceback = event.headers[HEADER.errorStack] || event.headers[HEADER.errorMessage] || "";
    const message = {
      exchange: "",
      routingKey: deadQueue(names.queue(useCase)),
      body: event.body,
      properties: letterProperties(stored, id, traceback),
    };
    return this.#untilStored(mine, () => this.#deliver(message, () => topology.queues(useCase)));
  }

  /** Puts an event into a use case's queue, by nobody's delivery. @throws PapaError `unknown-use-case` as well */
  async revived(useCase: string, event: EncodedEvent): Promise<void> {
    const routingKey = this.#options.names.queue(useCase);
    await this.#deliver({ exchange: "", routingKey, body: event.body, properties: propertiesOfStored(event) }, () =>
      this.#options.topology.queues(useCase),
    );
  }

  async #deliver(message: MandatoryMessage, remake: () => Promise<void>): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await this.#options.moves.deliver(message)) return;
      await remake();
    }
    const { address } = this.#options.link();
    const text = `The queue "${message.routingKey}" at ${address} is deleted again and again.`;
    throw new PapaError("connection-failed", text, { transport: "amqp", address }, { retryable: true });
  }

  async #untilStored(mine: StillMine, store: () => Promise<void>): Promise<boolean> {
    while (mine()) {
      try {
        await this.#options.link().whenUp();
      } catch {
        // Closed for good.
        return false;
      }
      try {
        await store();
        return true;
      } catch (error) {
        if (!isLost(error)) throw error;
        // A channel that the broker closed is open again at the next try; a turn later, so as not to spin.
        await new Promise<void>((resolve) => setTimeout(resolve, 20));
      }
    }
    return false;
  }
}
