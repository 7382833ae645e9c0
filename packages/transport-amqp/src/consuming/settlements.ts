import { isPapaError, PapaError } from "@papa-events/core";
import { type EncodedEvent, HEADER, type Settlement, type Unconfirmed } from "@papa-events/core/transport";
import { isConnectionLost } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { sleep } from "../client/sleep.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { QueueMessage, QueuePublisher } from "../publishing/queue-publisher.ts";
import { delayStep } from "../waiting/delay-steps.ts";
import type { Delays } from "../waiting/delays.ts";
import { deadLetterProperties } from "../wire/dead-letter-properties.ts";
import { deadLetterQueue, delayQueue, type Names } from "../wire/names.ts";
import { propertiesOfStored } from "../wire/properties.ts";
import type { ReceivedMessage } from "../wire/received-message.ts";
import { returnedProperties } from "../wire/returned-message.ts";
import type { AmqpDelivery } from "./delivery.ts";

/** A channel that the broker closed is opened again at the next try. */
const RETRY_PAUSE_MS = 20;

export interface SettlementsOptions {
  readonly names: Names;
  readonly delays: Delays;
  /** The connection that publishes. */
  readonly connection: ReconnectingConnection;
  readonly publisher: Publisher;
  readonly queuePublisher: QueuePublisher;
  /** Declares a use case again, with its queues and bindings. */
  readonly redeclare: (useCase: string) => Promise<void>;
  /** Called when a dead letter of a use case's queue is stored. */
  readonly onDead: (queue: string, message: Omit<QueueMessage, "queue">) => void;
}

/** Whether a delivery is still this instance's to settle. */
export type IsOurs = () => boolean;

type Stored = Exclude<Settlement, { kind: "release" }>;

/** Stores what becomes of deliveries. */
export class Settlements {
  readonly #options: SettlementsOptions;
  /** Of outputs that were refused in part, those that are not stored yet: the core offers all of them again. */
  readonly #refused = new WeakMap<readonly EncodedEvent[], readonly EncodedEvent[]>();

  constructor(options: SettlementsOptions) {
    this.#options = options;
  }

  /**
   * Stores a settlement, and resolves to whether that is confirmed: `false` if the delivery was lost meanwhile. While only
   * the publishing connection is down it waits, and sends again.
   *
   * @throws PapaError what the broker refuses
   */
  store(useCase: string, settlement: Stored, received: ReceivedMessage, isOurs: IsOurs): Promise<boolean> {
    switch (settlement.kind) {
      case "done":
        return this.#storeOutputs(settlement.outputs, isOurs);
      case "retry":
      case "forward":
        return this.#storeDelayed(useCase, settlement.delay, settlement.event, received, isOurs);
      case "dead":
        return this.#storeDead(useCase, settlement.id, settlement.event, received, isOurs);
    }
  }

  /** Puts a copy of a message at the end of its queue, and resolves to whether it is there. @throws PapaError */
  async storeCopy(useCase: string, { received, redeliveries }: AmqpDelivery): Promise<boolean> {
    const { names, queuePublisher } = this.#options;
    const { content: body } = received.message;
    queuePublisher.assertWritable();
    return queuePublisher.publish({
      queue: names.queue(useCase),
      body,
      properties: returnedProperties(received, redeliveries),
    });
  }

  /** Does the same, and tries again while the publishing connection is down, until the delivery is lost. @throws PapaError */
  async renew(useCase: string, delivery: AmqpDelivery, isOurs: IsOurs): Promise<boolean> {
    let copied = false;
    await this.#untilStored(isOurs, async () => {
      copied = await this.storeCopy(useCase, delivery);
    });
    return copied;
  }

  async #storeOutputs(events: readonly EncodedEvent[], isOurs: IsOurs): Promise<boolean> {
    let left = this.#refused.get(events) ?? events;
    return this.#untilStored(isOurs, async () => {
      const unconfirmed: readonly Unconfirmed[] = await this.#options.publisher.publish(left);
      const first = unconfirmed.find(({ error }) => !isConnectionLost(error)) ?? unconfirmed[0];
      left = unconfirmed.flatMap(({ index }) => left[index] ?? []);
      if (first === undefined) return;
      this.#refused.set(events, left);
      throw first.error;
    });
  }

  /** An event that waits for `delay` milliseconds and then goes back to its use case only. */
  #storeDelayed(
    useCase: string,
    delay: number,
    event: EncodedEvent,
    { message: { properties: received } }: ReceivedMessage,
    isOurs: IsOurs,
  ): Promise<boolean> {
    const { delays, names, queuePublisher, redeclare } = this.#options;
    const queue = names.queue(useCase);
    const step = delayStep(delay);
    const message: Omit<QueueMessage, "queue"> = { body: event.body, properties: propertiesOfStored(event, received) };
    if (step === 0)
      return this.#untilStored(isOurs, () =>
        queuePublisher.publishOrDeclare({ ...message, queue }, () => redeclare(useCase)),
      );
    return this.#untilStored(isOurs, async () => {
      await delays.ready(useCase, step);
      await queuePublisher.publishOrDeclare({ ...message, queue: delayQueue(queue, step) }, async () => {
        delays.forget(useCase, step);
        await delays.ready(useCase, step);
      });
    });
  }

  #storeDead(
    useCase: string,
    id: string,
    event: EncodedEvent,
    { message: { properties: received } }: ReceivedMessage,
    isOurs: IsOurs,
  ): Promise<boolean> {
    const { names, queuePublisher, redeclare, onDead } = this.#options;
    const traceback = event.headers[HEADER.errorStack] || event.headers[HEADER.errorMessage] || "";
    const message: QueueMessage = {
      queue: deadLetterQueue(names.queue(useCase)),
      body: event.body,
      properties: deadLetterProperties(propertiesOfStored(event, received), id, traceback),
    };
    return this.#untilStored(isOurs, async () => {
      await queuePublisher.publishOrDeclare(message, () => redeclare(useCase));
      onDead(names.queue(useCase), message);
    });
  }

  async #untilStored(isOurs: IsOurs, store: () => Promise<void>): Promise<boolean> {
    while (isOurs()) {
      try {
        await this.#options.connection.whenWritable();
      } catch {
        // Closed for good.
        return false;
      }
      try {
        await store();
        return true;
      } catch (error) {
        if (!isConnectionLost(error)) throw forNow(error);
        await sleep(RETRY_PAUSE_MS);
      }
    }
    return false;
  }
}

/** A right that was taken away may come back. An event that was handled must not be given up for it. */
function forNow(error: unknown): unknown {
  if (!isPapaError(error, "access-refused")) return error;
  return new PapaError("access-refused", error.message, error.details, { retryable: true, cause: error });
}
