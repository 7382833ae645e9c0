import { randomBytes } from "node:crypto";
import { PapaApp, type PapaAppOptions } from "@papa-events/core";
import type { Connection, ConnectOptions, Declaration } from "@papa-events/core/transport";
import { amqp } from "@papa-events/transport-amqp";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { inject, onTestFinished } from "vitest";

/** The broker that the tests run against; each test is in a namespace of its own on it. */
export function brokerUrl(): string {
  return inject("rabbitmq");
}

/** The same broker's URL for the account `guest`, changed. */
export function brokerUrlWith(change: (url: URL) => void): string {
  const url = new URL(brokerUrl());
  url.username = "guest";
  change(url);
  return url.href;
}

/** A logger that logs nothing. */
export const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A declaration of a use case; equal patterns have equal ids. */
export function declaration(name: string, ...patterns: string[]): Declaration {
  return { name, patterns, id: [...patterns].sort().join(" ") };
}

/** A namespace of this test's own, and what it does there. */
export class Space {
  readonly prefix: string;
  readonly #apps: PapaApp[] = [];
  readonly #connections: Connection[] = [];
  #model: ChannelModel | undefined;

  constructor(prefix = `t-${randomBytes(6).toString("hex")}`) {
    this.prefix = prefix;
    onTestFinished(() => this.#end());
  }

  /** The namespace's URL, on this or another address of the same broker. */
  url(port?: number): string {
    const url = new URL(brokerUrl());
    if (port !== undefined) {
      url.hostname = "127.0.0.1";
      url.port = String(port);
    }
    if (this.prefix !== "") url.searchParams.set("prefix", this.prefix);
    return url.href;
  }

  transport(port?: number) {
    return amqp(this.url(port));
  }

  /** An app that is stopped when the test ends. */
  app(options: Partial<PapaAppOptions> & { port?: number } = {}): PapaApp {
    const { port, ...rest } = options;
    const app = new PapaApp({
      transport: this.transport(port),
      logger: quiet,
      name: "test",
      ...rest,
    } as PapaAppOptions);
    this.#apps.push(app);
    return app;
  }

  /** A connection without an app, which is closed when the test ends. */
  async connect(options: Partial<ConnectOptions> & { port?: number } = {}): Promise<Connection> {
    const { port, ...rest } = options;
    const connection = await this.transport(port).connect({
      appName: "test",
      logger: quiet,
      maxHeldBytes: 64 * 1_048_576,
      onStatus: () => {},
      onProblem: () => {},
      ...rest,
    });
    this.#connections.push(connection);
    return connection;
  }

  /** The name on the broker of a queue or exchange of this namespace. */
  name(name: string): string {
    return this.prefix === "" ? name : `${this.prefix}/${name}`;
  }

  /** A connection beside the library, as another program has. */
  async channel(): Promise<ConfirmChannel> {
    if (this.#model === undefined) {
      this.#model = await connect(brokerUrl(), { noDelay: true });
      this.#model.on("error", () => {});
    }
    const channel = await this.#model.createConfirmChannel();
    channel.on("error", () => {});
    return channel;
  }

  async version(): Promise<number> {
    await this.channel();
    return Number.parseInt(this.#model?.connection.serverProperties.version ?? "", 10);
  }

  /** Whether the broker's version is this one or newer. */
  async isAtLeast(major: number, minor: number): Promise<boolean> {
    await this.channel();
    const [ofBroker = 0, minorOfBroker = 0] = (this.#model?.connection.serverProperties.version ?? "")
      .split(".")
      .map(Number);
    return ofBroker > major || (ofBroker === major && minorOfBroker >= minor);
  }

  /** How many messages are ready in a queue. */
  async size(queue: string): Promise<number> {
    const channel = await this.channel();
    const { messageCount } = await channel.checkQueue(this.name(queue));
    await channel.close();
    return messageCount;
  }

  async #end(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.stop()));
    await Promise.all(this.#connections.map((connection) => connection.close()));
    const useCases = new Set(["uc", "a", "b", "c", "other", ...this.cleans]);
    for (const useCase of useCases) {
      for (const suffix of ["", ".retry", ".dlq", ":declared", ":recent", ...DELAYS.map((each) => `.retry.${each}`)])
        await this.#delete(useCase + suffix);
    }
    if (this.prefix !== "")
      for (const suffix of [":registry", ":trials", ":returned", ":paused", ":paused.flag"])
        await this.#delete(`domain_events${suffix}`);
    await this.#model?.close();
  }

  /** More use cases whose queues go when the test ends. */
  readonly cleans: string[] = [];

  async #delete(queue: string): Promise<void> {
    const channel = await this.channel();
    await channel.deleteQueue(this.name(queue)).catch(() => {});
    await channel.close().catch(() => {});
  }
}

const DELAYS = [100, 200, 300, 500, 600, 1_000, 1_500, 2_000, 3_000, 10_000];
