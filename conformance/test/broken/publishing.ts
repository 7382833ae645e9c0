import type { EncodedEvent } from "@papa-events/core/transport";
import { changed, Fault, later, onLoss, publishing, type Variant, variant } from "./variant.ts";

/** Faults of publishing. */
export const publishingFaults: readonly Variant[] = [
  publishing("P1", "resolves a publish before the event is stored", () => async (events, connection) => {
    later(30, () => connection.publish(events));
    return [];
  }),

  publishing(
    "L3",
    "calls stored what was published while the connection was down",
    () => async (events, connection) => {
      await connection.publish(events);
      return [];
    },
  ),

  variant("P2", "calls stored what was in flight when the connection was lost", () => (connection, options) => {
    let losses = 0;
    onLoss(options, () => {
      losses += 1;
    });
    return {
      publish: async (events) => {
        const before = losses;
        await new Promise<void>((resolve) => later(5, resolve));
        return losses === before ? connection.publish(events) : [];
      },
    };
  }),

  variant("P2", "does not notify that the connection is back", () => (_, options) => {
    const { onStatus } = options;
    Object.assign(options, {
      onStatus: (status: Parameters<typeof onStatus>[0]) => {
        if (!status.connected) onStatus(status);
      },
    });
    return {};
  }),

  publishing("P3", "takes fewer events at once than it says", () => async (events, connection) => {
    const taken = events.slice(0, 100);
    const unconfirmed = events.slice(100).map((_, index) => ({ index: index + 100, error: new Fault("too many") }));
    return [...(await connection.publish(taken)), ...unconfirmed];
  }),

  publishing(
    "P4",
    "spoils characters beyond ASCII",
    () => (events, connection) => connection.publish(events.map((event) => spoiled(event))),
  ),

  publishing("P6", "sends again what is not confirmed at once", () => async (events, connection) => {
    const first = connection.publish(events);
    const late = new Promise<"late">((resolve) => later(200, () => resolve("late")));
    const answer = await Promise.race([first, late]);
    return answer === "late" ? connection.publish(events) : answer;
  }),

  publishing("P4", "takes no payload of the full size", () => async (events, connection) => {
    const small = events.filter(({ body }) => body.length < 1_000_000);
    return connection.publish(small);
  }),

  publishing("H5", "loses the events behind a poisonous one", () => (events, connection) => {
    const poison = events.findIndex(({ body }) => !isJson(body));
    return connection.publish(poison === -1 ? events : events.slice(0, poison + 1));
  }),
];

function spoiled(event: EncodedEvent): EncodedEvent {
  const text = Buffer.from(event.body)
    .toString("latin1")
    .replace(/[^ -~]/g, "?");
  return changed(event, { body: Buffer.from(text), text: undefined });
}

export function isJson(body: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(body).toString());
    return true;
  } catch {
    return false;
  }
}
