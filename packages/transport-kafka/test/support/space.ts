import { randomBytes } from "node:crypto";
import { type BrokerProxy, type KafkaVersion, startProxy } from "@papa-events/conformance/brokers";
import { PapaApp, type PapaAppOptions } from "@papa-events/core";
import type { Connection, ConnectOptions, EncodedEvent, SubscribeOptions } from "@papa-events/core/transport";
import { type KafkaOptions, kafka } from "@papa-events/transport-kafka";
import { inject, onTestFinished } from "vitest";

/** A logger that drops everything. */
export const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The URL of the broker that all tests share; each test has a namespace of its own. */
export function brokerUri(): string {
  return inject("kafka");
}

export function brokerVersion(): KafkaVersion {
  return inject("kafkaVersion");
}

/** A namespace for one test. What the test opens there is closed when the test ends. */
export class Space {
  readonly prefix = `t-${randomBytes(6).toString("hex")}`;
  readonly #ends: (() => Promise<unknown>)[] = [];

  constructor() {
    onTestFinished(async () => {
      for (const end of this.#ends.reverse()) await end();
    });
  }

  transport(options: Partial<KafkaOptions> = {}) {
    return kafka({ uri: brokerUri(), prefix: this.prefix, sessionTimeout: 2_000, partitions: 4, ...options });
  }

  /** Makes an app that is stopped when the test ends. */
  app(options: Partial<PapaAppOptions> = {}): PapaApp {
    const all = { transport: this.transport(), logger: quiet, name: "test", drainTimeout: 2_000, ...options };
    const app = new PapaApp(all as PapaAppOptions);
    this.#ends.push(() => app.stop());
    return app;
  }

  /** Opens a connection without an app. */
  async connect(options: Partial<KafkaOptions> = {}, how: Partial<ConnectOptions> = {}): Promise<Connection> {
    const connection = await this.transport(options).connect({
      appName: "test",
      logger: quiet,
      maxHeldBytes: 67_108_864,
      onStatus: () => {},
      onProblem: () => {},
      ...how,
    });
    this.#ends.push(() => connection.close());
    return connection;
  }

  /** Starts a proxy to the broker that can be cut off, and returns the options that connect through it. */
  async proxy(): Promise<{ proxy: BrokerProxy; options: Partial<KafkaOptions> }> {
    const { hostname, port } = new URL(brokerUri().replace("kafka:", "http:"));
    const proxy = await startProxy(hostname, Number(port), (host, at) => `kafka://${host}:${at}`);
    this.#ends.push(() => proxy.close());
    return { proxy, options: { route: () => ({ host: proxy.host, port: proxy.port }) } };
  }

  group(useCase: string): string {
    return `${this.prefix}--use-case-${useCase}`;
  }
}

/** Declares a use case as the core does. */
export function declare(connection: Connection, useCase: string, patterns: readonly string[]): Promise<void> {
  return connection.declarations.declare([{ name: useCase, patterns, id: idOf(patterns) }]);
}

/** How to subscribe with so many unsettled deliveries at once. */
export function subscribing(readAhead: number): SubscribeOptions {
  return { readAhead, declaration: "" };
}

/** Publishes as the core does: what is not confirmed, as in a topic that was made just now, once more. */
export async function publish(connection: Connection, events: readonly EncodedEvent[]): Promise<void> {
  for (let rest = events; rest.length > 0; ) {
    const unconfirmed = await connection.publish(rest);
    const again = unconfirmed.flatMap(({ index }) => rest[index] ?? []);
    if (again.length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    rest = again;
  }
}

/** Names a set of patterns. */
export function idOf(patterns: readonly string[]): string {
  return [...patterns].sort().join();
}

let count = 0;

/** Makes an event as the core passes it to a transport. */
export function event(name: string, payload: unknown = {}): EncodedEvent {
  count += 1;
  const id = `event-${count}`;
  const headers = { ce_id: id, ce_type: name, ce_specversion: "1.0" };
  return { name, id, time: Date.now(), headers, body: Buffer.from(JSON.stringify(payload)) };
}
