import type { Connection, ConnectOptions, Transport } from "@papa-events/core/transport";
import type { Broker, BrokerProxy } from "./brokers/index.ts";
import type { Description, Faults } from "./description.ts";
import { pause, until } from "./rig/until.ts";

/** How long a node that came back may take to have what the others have. */
const WHOLE_LIMIT_MS = 60_000;

export interface ProxiedOptions {
  /** The kind of broker, as the transport names it. */
  readonly name: string;
  readonly start: () => Promise<Broker>;
  /**
   * Makes the transport for an address and a namespace: an operator's, who may be somebody else, or an app's. For brokers
   * that tell their clients further addresses, `routes` has the way by the proxy to each (`host:port`).
   */
  readonly transport: (uri: string, namespace: string, operator: boolean, routes: BrokerProxy["routes"]) => Transport;
  /** What has to pass before the broker may be killed, in milliseconds, where it needs time to save something. */
  readonly beforeKill?: number | undefined;
  /** Of a cluster, whether it can bear the loss of a node: whether a node that came back has what the others have, say. */
  readonly isWhole?: ((broker: Broker) => Promise<boolean>) | undefined;
}

/** What {@link proxied} gives of a description. */
export interface Proxied extends Pick<Description, "setUp" | "tearDown" | "transport"> {
  readonly faults: Omit<Faults, "cancel">;
  /** The broker that was started. */
  readonly broker: () => Broker;
  readonly clean: (namespace: string) => Promise<void>;
}

/**
 * The part of a description that is the same for every broker of `@papa-events/conformance/brokers`: each transport
 * reaches it by a proxy of its own, so that the faults of one namespace leave the others alone.
 */
export function proxied(options: ProxiedOptions): Proxied {
  const namespaces = new Map<string, Namespace>();
  let started: Broker | undefined;
  const broker = () => {
    if (started === undefined) throw new Error("The broker has not been started.");
    return started;
  };
  const on = (namespace: string): Namespace => {
    let found = namespaces.get(namespace);
    if (found === undefined) namespaces.set(namespace, (found = new Namespace()));
    return found;
  };
  return {
    broker,
    setUp: async () => {
      started = await options.start();
    },
    tearDown: async (failed) => {
      await started?.stop(failed);
    },
    transport: (namespace) => new ProxiedTransport(options, namespace, broker, on(namespace)),
    clean: async (namespace) => {
      await on(namespace).close();
      namespaces.delete(namespace);
    },
    faults: {
      cut: async (namespace) => on(namespace).each((proxy) => proxy.cut()),
      disconnect: async (namespace) => on(namespace).disconnect(),
      reconnect: async (namespace) => on(namespace).reconnect(),
      stall: async (namespace) => on(namespace).stall(),
      flow: async (namespace) => on(namespace).flow(),
      crash: async (namespace) => on(namespace).crash(),
      restart: async () => {
        await pause(options.beforeKill ?? 0);
        const { nodes } = broker();
        if (nodes.length === 0) await restarted(broker());
        // One node after the other, so that the others go on.
        for (const node of nodes) {
          await untilWhole(broker(), options);
          await restarted(node);
        }
      },
    },
  };
}

async function restarted(broker: Broker): Promise<void> {
  await broker.kill();
  await broker.restart();
}

async function untilWhole(broker: Broker, { isWhole }: ProxiedOptions): Promise<void> {
  if (isWhole !== undefined) await until("the cluster is whole", () => isWhole(broker), WHOLE_LIMIT_MS);
}

/** The proxies of one test. */
class Namespace {
  readonly #alive = new Set<BrokerProxy>();
  readonly #dead = new Set<BrokerProxy>();
  #disconnected = false;
  #stalled = false;

  add(proxy: BrokerProxy): void {
    this.#alive.add(proxy);
    if (this.#disconnected) proxy.refuse();
    if (this.#stalled) proxy.stall();
  }

  each(act: (proxy: BrokerProxy) => void): void {
    for (const proxy of this.#alive) act(proxy);
  }

  disconnect(): void {
    this.#disconnected = true;
    this.each((proxy) => proxy.refuse());
  }

  reconnect(): void {
    this.#disconnected = false;
    this.each((proxy) => proxy.accept());
  }

  stall(): void {
    this.#stalled = true;
    this.each((proxy) => proxy.stall());
  }

  flow(): void {
    this.#stalled = false;
    this.each((proxy) => proxy.flow());
  }

  crash(): void {
    for (const proxy of this.#alive) {
      proxy.refuse();
      this.#dead.add(proxy);
    }
    this.#alive.clear();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#alive, ...this.#dead].map((proxy) => proxy.close()));
  }
}

/** A transport whose proxy is made when it first connects. */
class ProxiedTransport implements Transport {
  readonly name: string;
  readonly #options: ProxiedOptions;
  readonly #namespace: string;
  readonly #broker: () => Broker;
  readonly #proxies: Namespace;
  readonly #inner = new Map<boolean, Transport>();
  #proxy: Promise<BrokerProxy> | undefined;

  constructor(options: ProxiedOptions, namespace: string, broker: () => Broker, proxies: Namespace) {
    this.name = options.name;
    this.#options = options;
    this.#namespace = namespace;
    this.#broker = broker;
    this.#proxies = proxies;
  }

  async connect(options: ConnectOptions): Promise<Connection> {
    this.#proxy ??= this.#opened();
    const { uri, routes } = await this.#proxy;
    const { operator = false } = options;
    let inner = this.#inner.get(operator);
    if (inner === undefined) {
      inner = this.#options.transport(uri, this.#namespace, operator, routes);
      this.#inner.set(operator, inner);
    }
    return inner.connect(options);
  }

  async #opened(): Promise<BrokerProxy> {
    const proxy = await this.#broker().proxy();
    this.#proxies.add(proxy);
    return proxy;
  }
}
