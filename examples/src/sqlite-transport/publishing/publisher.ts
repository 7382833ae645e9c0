import type { EncodedEvent, Unconfirmed } from "@papa-events/core/transport";
import type { Database } from "../client/database.ts";
import type { FanOut } from "./fan-out.ts";

/** Stores events, all of them or none. Never rejects. */
export async function publish(
  database: Database,
  fanOut: FanOut,
  events: readonly EncodedEvent[],
): Promise<readonly Unconfirmed[]> {
  try {
    await database.write((sql) => fanOut.store(sql, events));
    return [];
  } catch (error) {
    return events.map((_, index) => ({ index, error: error as Error }));
  }
}
