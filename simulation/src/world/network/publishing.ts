import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import type { BrokerConnection } from "./broker-connection.ts";
import type { Network } from "./network.ts";
import { refusedForGood, refusedForNow } from "./refusals.ts";

/** What the broker does with published events: some it refuses, of some it says so although it has stored them. */
export async function publishAtBroker(
  network: Network,
  process: SimulatedProcess,
  inner: BrokerConnection,
  events: readonly EncodedEvent[],
  connected: boolean,
): Promise<readonly Unconfirmed[]> {
  const { weather } = network;
  // A lost connection stores nothing.
  if (!connected) return inner.publish(events);
  if (weather.refuses("publishes")) return events.map((_, index) => ({ index, error: refusedForNow() }));
  const refused = events.flatMap((event, index) => (network.planOf(event)?.refused === "publishing" ? [index] : []));
  const stored = events.filter((_, index) => !refused.includes(index));
  noteStored(network, process.name, stored, "publish");
  await inner.publish(stored);
  if (weather.refuses("confirmations")) return events.map((_, index) => ({ index, error: refusedForNow() }));
  return refused.map((index) => ({ index, error: refusedForGood() }));
}

/** Notes what the broker stores, for whoever wants it. */
export function noteStored(
  network: Network,
  process: string,
  events: readonly EncodedEvent[],
  of: "publish" | "settlement",
): void {
  if (events.length === 0) return;
  for (const { id } of events) network.countStored(id);
  network.history.add({
    kind: "stores",
    process,
    events: events.map((event) => network.note(event)),
    of,
  });
}
