import type { ConnectOptions } from "@papa-events/core/transport";
import { isConnectionLost } from "./errors.ts";
import type { Target } from "./options.ts";
import { ReconnectingConnection } from "./reconnecting-connection.ts";
import { SharedWait } from "./shared-wait.ts";

/** How often an idempotent action is tried when connections are lost under it. */
const MAX_TRIES = 3;
/** How long each try waits for the connections to come back. */
const MAX_OUTAGE_MS = 10_000;

/**
 * The two connections of an app. A broker that runs short of memory or disk stops reading from a connection that
 * publishes, and acknowledgements must go on then.
 */
export class Connections {
  readonly consuming: ReconnectingConnection;
  readonly publishing: ReconnectingConnection;
  readonly #bothUp: SharedWait;

  /**
   * Opens both.
   *
   * @param resume restores what lives on the consuming connection after each reconnect
   * @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker`
   */
  static async open(target: Target, options: ConnectOptions, resume: () => Promise<void>): Promise<Connections> {
    const status = new CombinedStatus(options);
    const open = (role: string, setUp: () => Promise<void>) =>
      ReconnectingConnection.open({
        target,
        connectionName: `${options.appName} (${role})`,
        setUp,
        onStatus: (up, error) => status.update(role, up, error),
        // An alarm is the broker's, whichever connection hears of it.
        onBlocked: (reason) => options.onProblem("alarm", reason && `the broker blocks publishers: ${reason}`),
      });
    const consuming = await open("consuming", resume);
    try {
      return new Connections(consuming, await open("publishing", async () => {}));
    } catch (error) {
      await consuming.close();
      throw error;
    }
  }

  private constructor(consuming: ReconnectingConnection, publishing: ReconnectingConnection) {
    this.consuming = consuming;
    this.publishing = publishing;
    this.#bothUp = new SharedWait(() => Promise.all([consuming.whenUp(), publishing.whenUp()]));
  }

  /**
   * Runs an idempotent action, and runs it again after a reconnect if a connection is lost under it.
   *
   * @throws PapaError `connection-failed` and what `action` throws
   */
  async retryOnReconnect<T>(action: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await action();
      } catch (error) {
        if (!isConnectionLost(error) || tries === MAX_TRIES) throw error;
        if (!(await this.#bothUp.within(MAX_OUTAGE_MS))) throw error;
      }
    }
  }

  async close(): Promise<void> {
    await this.consuming.close();
    await this.publishing.close();
  }
}

/** Reports both connections as one, which is up when both are. */
class CombinedStatus {
  readonly #options: ConnectOptions;
  readonly #down = new Map<string, Error | undefined>();

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  update(role: string, up: boolean, error: Error | undefined): void {
    if (up) this.#down.delete(role);
    else this.#down.set(role, error);
    const [first] = this.#down.values();
    this.#options.onStatus(this.#down.size === 0 ? { connected: true } : { connected: false, error: first });
  }
}
