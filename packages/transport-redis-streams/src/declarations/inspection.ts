import type { QueueStats } from "@papa-events/core/transport";
import { unknownUseCase } from "../client/errors.ts";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { inspect } from "../scripts/inspect.ts";
import { GROUP, type Keys, RELEASED_CONSUMER } from "../wire/keys.ts";

/** Counts the events that a declared use case holds. @throws PapaError `unknown-use-case` */
export async function inspectUseCase(
  useCase: string,
  keys: Keys,
  connection: ReconnectingConnection,
): Promise<QueueStats> {
  const { queue, due, dead } = keys.forUseCase(useCase);
  const command = connection.run(inspect, [queue, due, dead], [GROUP, RELEASED_CONSUMER]);
  const reply = (await connection.withPapaErrors(command)) as number[] | null;
  if (reply === null) throw unknownUseCase(useCase);
  const [ready = 0, inFlight = 0, waiting = 0, deadLetters = 0] = reply;
  return { ready, inFlight, waiting, dead: deadLetters };
}
