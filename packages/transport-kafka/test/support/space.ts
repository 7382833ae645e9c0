import { randomBytes } from "node:crypto";
import { type BrokerProxy, type KafkaVersion, startProxy } from "@papa-events/conformance/brokers";
import { PapaApp, type PapaAppOptions } from "@papa-events/core";
import type { Connection, EncodedEvent } from "@papa-events/core/transport";
import { type KafkaOptions, kafka } from "@papa-events/transport-kafka";
import { inject, onTestFinished } from "vitest";

/** Says nothing. */
export const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The broker that the tests run against; each test is in a namespace of its own on it. */
export function brokerUri(): string {
  return inject("kafka");
}

export function brokerVersion(): KafkaVersion {
  return inject("kafkaVersion");
}

/** A namespace of this test's own, and what it does there. */
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

  /** An app that is stopped when the test ends. */
  app(options: Partial<PapaAppOptions> = {}): PapaApp {
    const all = { transport: this.transport(), logger: quiet, name: "test", drainTimeout: 2_000, ...options };
    const app = new PapaApp(all as PapaAppOptions);
    this.#ends.push(() => app.stop());
    return app;
  }

  /** A connection without an app. */
  async connect(options: Partial<KafkaOptions> = {}): Promise<Connection> {
    const connection = await this.transport(options).connect({ appName: "test", logger: quiet, onStatus: () => {} });
    this.#ends.push(() => connection.close());
    return connection;
  }

  /** A way to the broker that can be cut, and the options that lead over it. */
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

let count = 0;

/** An event as the core hands it over. */
export function event(name: string, payload: unknown = {}): EncodedEvent {
  count += 1;
  const id = `event-${count}`;
  const headers = { ce_id: id, ce_type: name, ce_specversion: "1.0" };
  return { name, id, time: Date.now(), headers, body: Buffer.from(JSON.stringify(payload)) };
}
