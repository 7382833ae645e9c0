import type { ConnectOptions } from "@papa-events/core/transport";
import { Registry } from "../declarations/registry.ts";
import { Topology } from "../declarations/topology.ts";
import { Publisher } from "../publishing/publisher.ts";
import { Delays } from "../waiting/delays.ts";
import { Names } from "../wire/names.ts";
import { isLost } from "./errors.ts";
import { Locks } from "./locks.ts";
import type { Target } from "./options.ts";
import { Link } from "./reconnecting-connection.ts";
import { within } from "./time-limit.ts";

/** How often what may be repeated is begun when connections are lost under it, and how long each time waits for them. */
const TRIES = 3;
const BACK_WITHIN = 10_000;

/**
 * The two connections of an app and what is done with them. Two, because the broker stops reading from a connection
 * that publishes when it runs short of memory or disk, and acknowledgements must go on then.
 */
export class Broker {
  readonly names: Names;
  readonly consuming: Link;
  readonly publishing: Link;
  readonly topology: Topology;
  readonly locks: Locks;
  /** Publishes to the topic exchange. */
  readonly events: Publisher;
  /** Publishes to queues: what waits, what died, what is remembered. */
  readonly moves: Publisher;
  readonly registry: Registry;
  readonly delays: Delays;

  /**
   * @param resume makes what lives on the consuming connection when it has been lost
   * @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker`
   */
  static async open(target: Target, options: ConnectOptions, resume: () => Promise<void>): Promise<Broker> {
    const status = new Status(options);
    const open = (what: string, setUp: () => Promise<void>) =>
      Link.open({
        target,
        connectionName: `${options.appName} (${what})`,
        setUp,
        onStatus: (up, error) => status.tell(what, up, error),
      });
    const consuming = await open("consuming", resume);
    try {
      return new Broker(target, options, consuming, await open("publishing", async () => {}));
    } catch (error) {
      await consuming.close();
      throw error;
    }
  }

  private constructor(target: Target, options: ConnectOptions, consuming: Link, publishing: Link) {
    this.names = new Names(target.prefix);
    this.consuming = consuming;
    this.publishing = publishing;
    this.topology = new Topology(this.names, () => this.consuming);
    this.locks = new Locks(this.topology);
    const prepare = () => this.topology.exchanges();
    this.events = new Publisher(publishing, this.names.exchange, prepare);
    this.moves = new Publisher(publishing, this.names.exchange, async () => {});
    this.registry = new Registry(this.names, this.topology, this.locks, this.moves);
    this.delays = new Delays(this.topology, this.registry, options.logger);
  }

  /**
   * Does what may be done twice. Where a connection is lost under it, it is done again when both are back.
   *
   * @throws PapaError `connection-failed` and what `action` throws
   */
  async steadily<T>(action: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await action();
      } catch (error) {
        if (!isLost(error) || tries === TRIES) throw error;
        const back = Promise.all([this.consuming.whenUp(), this.publishing.whenUp()]);
        await within(back, BACK_WITHIN, "the broker is away").catch(() => {
          throw error;
        });
      }
    }
  }

  async close(): Promise<void> {
    await this.consuming.close();
    await this.publishing.close();
  }
}

/** Both connections as one: up when both are. */
class Status {
  readonly #options: ConnectOptions;
  readonly #down = new Map<string, Error | undefined>();

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  tell(what: string, up: boolean, error: Error | undefined): void {
    if (up) this.#down.delete(what);
    else this.#down.set(what, error);
    const [first] = this.#down.values();
    this.#options.onStatus(this.#down.size === 0 ? { connected: true } : { connected: false, error: first });
  }
}
