import { randomBytes } from "node:crypto";
import { type BrokerProxy, startProxy } from "@papa-events/conformance/brokers";
import { PapaApp, type PapaAppOptions } from "@papa-events/core";
import type { Connection, ConnectOptions, Declaration } from "@papa-events/core/transport";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { Redis } from "ioredis";
import { inject, onTestFinished } from "vitest";

/** Says nothing. */
export const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Connects as an app would that ignores every notification. */
export const silent: ConnectOptions = {
  appName: "test",
  logger: quiet,
  maxHeldBytes: 64 * 1_048_576,
  onStatus: () => {},
  onProblem: () => {},
};

/** A declaration whose id is its patterns. */
export function declared(name: string, ...patterns: string[]): Declaration {
  return { name, patterns, id: patterns.join("+") };
}

export interface SpaceOptions {
  /** The server; the project's unless set. */
  readonly uri?: string;
  readonly lease?: number;
}

/** A namespace of this test's own, and what it does there. */
export class Space {
  readonly prefix = `t-${randomBytes(6).toString("hex")}`;
  readonly uri: string;
  /** A connection beside the library, as another program has. */
  readonly redis: Redis;
  readonly #lease: number;
  readonly #apps: PapaApp[] = [];
  readonly #connections: Connection[] = [];

  constructor({ uri = inject("redis"), lease = 2_000 }: SpaceOptions = {}) {
    this.uri = uri;
    this.#lease = lease;
    this.redis = new Redis(uri);
    onTestFinished(() => this.#end());
  }

  /** The namespace's URL, on this or another address of the same server. */
  url(address = this.uri): string {
    return `${address}?prefix=${this.prefix}&lease=${this.#lease}`;
  }

  /** The name of a key of this namespace. */
  key(rest: string): string {
    return `{papa-events:${this.prefix}}:${rest}`;
  }

  /** An app that is stopped when the test ends. */
  app(options: Partial<PapaAppOptions> & { readonly address?: string } = {}): PapaApp {
    const { address, ...rest } = options;
    const transport = redisStreams(this.url(address));
    const app = new PapaApp({ transport, logger: quiet, name: "test", drainTimeout: 2_000, ...rest } as PapaAppOptions);
    this.#apps.push(app);
    return app;
  }

  /** A connection without an app; it is closed when the test ends. */
  async connect({
    address,
    ...options
  }: Partial<ConnectOptions> & { readonly address?: string } = {}): Promise<Connection> {
    const connection = await redisStreams(this.url(address)).connect({ ...silent, ...options });
    this.#connections.push(connection);
    return connection;
  }

  /** A way to the server that can be cut, stalled and closed. */
  async proxy(): Promise<BrokerProxy> {
    const { hostname, port } = new URL(this.uri);
    const proxy = await startProxy(hostname, Number(port), (host, at) => `redis://${host}:${at}`);
    onTestFinished(() => proxy.close());
    return proxy;
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#apps.map((app) => app.stop()), ...this.#connections.map((each) => each.close())]);
    const keys = await this.redis.keys(this.key("*"));
    if (keys.length > 0) await this.redis.unlink(...keys);
    this.redis.disconnect();
  }
}
