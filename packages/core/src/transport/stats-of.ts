import { isPapaError } from "../errors/papa-error.ts";
import type { Connection, QueueStats } from "./transport.ts";

const NOTHING: QueueStats = { ready: 0, inFlight: 0, waiting: 0, dead: 0 };

/** Counts what a use case holds: nothing where an operator has removed it, which must not hide the numbers of the others. */
export async function statsOf(connection: Connection, useCase: string): Promise<QueueStats> {
  try {
    return await connection.inspect(useCase);
  } catch (error) {
    if (isPapaError(error, "unknown-use-case")) return NOTHING;
    throw error;
  }
}
