import type { Delivery, ReceivedEvent, Settled, Settlement } from "@papa-events/core/transport";

/** A delivery as the app sees it: what it is settled with goes over the network. */
export class NetworkDelivery implements Delivery {
  readonly event: ReceivedEvent;
  readonly attempt: number;
  readonly redeliveries: number;
  readonly #isLost: () => boolean;
  readonly #settle: (settlement: Settlement) => Promise<Settled>;

  constructor(
    { attempt, redeliveries }: Delivery,
    event: ReceivedEvent,
    isLost: () => boolean,
    settle: (settlement: Settlement) => Promise<Settled>,
  ) {
    this.event = event;
    this.attempt = attempt;
    this.redeliveries = redeliveries;
    this.#isLost = isLost;
    this.#settle = settle;
  }

  get lost(): boolean {
    return this.#isLost();
  }

  settle(settlement: Settlement): Promise<Settled> {
    return this.#settle(settlement);
  }
}

/** An event as it comes from a real broker: bytes, and headers that were read anew. */
export function copied({ name, id, time, headers, body }: ReceivedEvent): ReceivedEvent {
  const copy = { headers: { ...headers }, body: new Uint8Array(body) };
  return {
    ...copy,
    ...(name === undefined ? {} : { name }),
    ...(id === undefined ? {} : { id }),
    ...(time === undefined ? {} : { time }),
  };
}
