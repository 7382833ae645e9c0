import type { Target } from "./options.ts";
import { ReconnectingConnection, type ReconnectingConnectionOptions } from "./reconnecting-connection.ts";

/** An app's connections, besides those on which it waits for events. */
export interface Connections {
  /** For settlements, declarations, dead letters, and whatever is not said below. */
  readonly main: ReconnectingConnection;
  /** For leases only: what is renewed behind a large write is renewed too late. */
  readonly control: ReconnectingConnection;
  /** For publishing: the same as `main`, unless publishing blocks it to wait for replicas. */
  readonly publishing: ReconnectingConnection;
}

export interface ConnectionsOptions extends Pick<ReconnectingConnectionOptions, "setUp" | "onStatus"> {
  /** As `onStatus`, for `control`. */
  readonly onControlStatus: ReconnectingConnectionOptions["onStatus"];
}

/** Opens all or none. @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
export async function openConnections(
  target: Target,
  connectionName: string,
  options: ConnectionsOptions,
): Promise<Connections> {
  const { setUp, onStatus, onControlStatus } = options;
  const opened: ReconnectingConnection[] = [];
  const open = async (given: ReconnectingConnectionOptions): Promise<ReconnectingConnection> => {
    const connection = await ReconnectingConnection.open(given);
    opened.push(connection);
    return connection;
  };
  try {
    const main = await open({ target, connectionName, setUp, onStatus });
    const control = await open({
      target,
      connectionName: `${connectionName}:control`,
      onStatus: onControlStatus,
    });
    const publishing =
      target.durability === "replicated"
        ? await open({ target, connectionName: `${connectionName}:publishing` })
        : main;
    return { main, control, publishing };
  } catch (error) {
    for (const connection of opened) connection.close();
    throw error;
  }
}
