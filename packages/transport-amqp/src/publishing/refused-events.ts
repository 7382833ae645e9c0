import type { EncodedEvent } from "@papa-events/core/transport";
import { propertiesOf } from "../wire/properties.ts";
import { RETURNS_HEADER } from "../wire/received-message.ts";
import type { QueuePublisher } from "./queue-publisher.ts";
import { isRefusal } from "./refusal.ts";

/** How many events that were refused are remembered. */
const MAX_REMEMBERED = 10_000;
/** When an event goes by the exchange again, where no queue that is known refuses it; twice as long each time. */
const INITIAL_PAUSE_MS = 1_000;

interface Refused {
  /** The queues that have it. */
  readonly stored: Set<string>;
  /** Whether a queue that is known has refused it. */
  found: boolean;
  /** When it last went by the exchange, and how long it does not again. */
  sent: number;
  pause: number;
  readonly error: Error;
}

export interface RefusedEventsOptions {
  readonly queuePublisher: QueuePublisher;
  /** The queues of the use cases whose declared patterns match a name. */
  readonly queuesFor: (eventName: string) => Promise<readonly string[]>;
}

/**
 * Events that the exchange has taken and a queue has refused: it is full, with `overflow: reject-publish`, or has no leader.
 * The broker does not say which, and sent to the exchange again such an event reaches all the other queues once more. So
 * it goes to each queue by itself from then on, until each has it.
 */
export class RefusedEvents {
  readonly #options: RefusedEventsOptions;
  readonly #refused = new Map<string, Refused>();

  constructor(options: RefusedEventsOptions) {
    this.#options = options;
  }

  get any(): boolean {
    return this.#refused.size > 0;
  }

  has({ id }: EncodedEvent): boolean {
    return this.#refused.has(id);
  }

  /** To be called when an event went by the exchange. @param error what it was refused with, if it was */
  sent({ id }: EncodedEvent, error: Error | undefined): void {
    const known = this.#refused.get(id);
    if (error === undefined) this.#refused.delete(id);
    else if (known !== undefined) {
      known.sent = performance.now();
      known.pause *= 2;
    } else {
      const sent = performance.now();
      this.#refused.set(id, { stored: new Set(), found: false, sent, pause: INITIAL_PAUSE_MS, error });
      const [oldest] = this.#refused.keys();
      if (this.#refused.size > MAX_REMEMBERED && oldest !== undefined) this.#refused.delete(oldest);
    }
  }

  /**
   * Sends an event that was refused to the queues that do not have it. Resolves to `"stored"` when all have it, to
   * `"unknown"` where those that are known do and another one has refused it, so that it may go by the exchange once more,
   * or to what it is refused with.
   */
  async send(event: EncodedEvent): Promise<"stored" | "unknown" | Error> {
    const refused = this.#refused.get(event.id);
    if (refused === undefined) return "unknown";
    const { queuePublisher, queuesFor } = this.#options;
    const left = (await queuesFor(event.name)).filter((queue) => !refused.stored.has(queue));
    let error: Error | undefined;
    // A copy like others, and nothing that somebody has put into the queue.
    const message = { body: event.body, properties: propertiesOf(event, { ...event.headers, [RETURNS_HEADER]: "0" }) };
    await Promise.all(
      left.map(async (queue) => {
        try {
          // One that is gone has no fate of its own.
          await queuePublisher.publish({ ...message, queue });
          refused.stored.add(queue);
        } catch (thrown) {
          refused.found ||= isRefusal(thrown);
          error ??= thrown as Error;
        }
      }),
    );
    if (error !== undefined) return error;
    if (refused.found) {
      this.#refused.delete(event.id);
      return "stored";
    }
    return performance.now() - refused.sent < refused.pause ? refused.error : "unknown";
  }
}
