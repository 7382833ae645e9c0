import type { EncodedEvent, Settlement } from "@papa-events/core/transport";

/**
 * Where the events of a settlement go. Every member retries until all is stored and resolves to `true`, or to `false` once
 * `abandoned` says that nobody waits for it any more.
 *
 * @throws PapaError what the broker refuses permanently
 */
export interface SettlementStore {
  /** Publishes a handler's outputs. */
  publish(events: readonly EncodedEvent[], abandoned: () => boolean): Promise<boolean>;
  /** Stores an event that comes back to the use case after a delay. */
  delay(useCase: string, delay: number, event: EncodedEvent, abandoned: () => boolean): Promise<boolean>;
  /** Stores a dead letter. */
  deadLetter(useCase: string, id: string, event: EncodedEvent, abandoned: () => boolean): Promise<boolean>;
}

/** Stores what a settlement asks for. A release stores nothing. */
export async function storeSettlement(
  store: SettlementStore,
  useCase: string,
  settlement: Settlement,
  abandoned: () => boolean,
): Promise<boolean> {
  switch (settlement.kind) {
    case "done":
      return store.publish(settlement.outputs, abandoned);
    case "retry":
    case "forward":
      return store.delay(useCase, settlement.delay, settlement.event, abandoned);
    case "dead":
      return store.deadLetter(useCase, settlement.id, settlement.event, abandoned);
    case "release":
      return false;
  }
}
