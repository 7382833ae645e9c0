import type { BrokerProxy } from "./proxy.ts";

/** How a broker was had. */
export type Way = "environment" | "docker" | "native";

/** A broker for tests: the same handle whichever way it was had. */
export interface Broker {
  /** `"rabbitmq"`, `"redis"`, `"valkey"` or `"kafka"`. */
  readonly kind: string;
  /** As it was asked for, such as `"4.0"`. */
  readonly version: string;
  readonly way: Way;
  /** Where it is, credentials included. */
  readonly uri: string;
  /** Whether it is this run's own, so that it can be killed and paused. */
  readonly own: boolean;
  /** The folder of its data on this machine, where it runs natively. */
  readonly folder?: string | undefined;
  /** The brokers of a cluster, each with a handle of its own; none where it is one broker. */
  readonly nodes: readonly Broker[];
  /** `SIGKILL`; resolves when it is dead. @throws BrokerNotOwn */
  kill(): Promise<void>;
  /** Starts it again on the same data and address, after killing it if it runs; resolves when it serves. @throws BrokerNotOwn */
  restart(): Promise<void>;
  /** `SIGSTOP`: connections stay open and nothing answers. @throws BrokerNotOwn */
  pause(): Promise<void>;
  /** @throws BrokerNotOwn */
  resume(): Promise<void>;
  /** One more way to it, that can be cut, stalled and half opened. The broker's `stop` closes it. */
  proxy(): Promise<BrokerProxy>;
  /**
   * Ends it and removes its data; of one from the environment it ends only the proxies.
   *
   * @param failed whether to keep its log and print where it is
   */
  stop(failed?: boolean): Promise<void>;
}

/** What a way of having a broker gives; the rest of {@link Broker} is the same for all. */
export interface RunningBroker {
  readonly way: Way;
  readonly host: string;
  readonly port: number;
  readonly folder?: string;
  /** What it said last, once it has ended of itself; `undefined` while it runs. Absent where that cannot be seen. */
  readonly lastWords?: () => string | undefined;
  /** Absent where the broker is not this run's own. */
  readonly control?: {
    kill(): Promise<void>;
    /** Starts it again; need not wait until it serves. */
    start(): Promise<void>;
    pause(): Promise<void>;
    resume(): Promise<void>;
    stop(failed: boolean): Promise<void>;
  };
}

/** A broker that cannot be had, in one line: which ways were tried, and why each failed. */
export class BrokerUnavailable extends Error {
  constructor(message: string) {
    super(message.replaceAll(/\s*\n\s*/g, " "));
    this.name = "BrokerUnavailable";
  }
}

/** A broker from the environment is not this run's to kill. */
export class BrokerNotOwn extends Error {
  constructor(kind: string, operation: string) {
    super(`${operation}: the ${kind} was given in the environment and is not this run's own.`);
    this.name = "BrokerNotOwn";
  }
}
