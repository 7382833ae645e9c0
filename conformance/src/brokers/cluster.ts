import { type Broker, BrokerUnavailable } from "./broker.ts";
import { ClusterNetwork } from "./cluster-network.ts";
import type { Site } from "./native.ts";
import type { BrokerProxy } from "./proxy.ts";

/** One of several brokers that work together. */
export interface ClusterNode extends Broker {
  /** Cuts it off from the others, in silence: nothing that they send one another arrives. Clients still reach all of them. */
  isolate(): Promise<void>;
  /** Ends {@link isolate}. */
  rejoin(): Promise<void>;
}

/** Several brokers as one: what is done to it is done to each of them. */
export interface Cluster extends Broker {
  readonly nodes: readonly ClusterNode[];
}

/** How the nodes of a cluster are reached as one. */
export interface ClusterAccess {
  /** Makes the address that clients take, of `host:port` for each node. */
  readonly uri: (addresses: readonly string[]) => string;
  /** Where clients take one address, the broker that it leads to stands for all. */
  readonly front?: Pick<Broker, "uri" | "proxy"> | undefined;
}

/** Where a node of a cluster is. */
export interface ClusterPlace {
  /** From 1. */
  readonly id: number;
  readonly network: ClusterNetwork;
  readonly site: Site;
}

/**
 * Starts brokers in a network of their own. None of them need serve before all of them run.
 *
 * @throws BrokerUnavailable
 */
export async function startNodes(
  name: string,
  count: number,
  start: (place: ClusterPlace) => Promise<Broker>,
  portsOfEach = 1,
): Promise<{ readonly nodes: readonly ClusterNode[]; readonly network: ClusterNetwork }> {
  const network = await ClusterNetwork.create(count, portsOfEach).catch((error: unknown) => {
    throw new BrokerUnavailable(`${name} cannot be had: ${error instanceof Error ? error.message : String(error)}.`);
  });
  const started = await Promise.allSettled(
    network.hosts.map(async (host, index) => {
      const id = index + 1;
      const { port } = network;
      // Nobody else has a port there.
      const ports = [port, port + 1, port + 2];
      const site = { host, ports, enter: network.enter.bind(network, id) };
      const broker = await start({ id, network, site });
      return { ...broker, isolate: () => network.isolate(id), rejoin: () => network.rejoin(id) };
    }),
  );
  const nodes = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = started.find((each) => each.status === "rejected");
  if (failed === undefined) return { nodes, network };
  await Promise.all(nodes.map((node) => node.stop(true)));
  network.close();
  throw failed.reason;
}

/** Makes one of several brokers. */
export function joined<Node extends Broker>(
  nodes: readonly Node[],
  { uri, front }: ClusterAccess,
  onStop?: () => void,
): Broker & { readonly nodes: readonly Node[] } {
  const [first] = nodes;
  if (first === undefined) throw new Error("a cluster without a broker");
  const { kind, version, way } = first;
  let turn = 0;
  const each = async (act: (node: Node) => Promise<void>) => {
    await Promise.all(nodes.map(act));
  };
  return {
    kind,
    version,
    way,
    uri: front?.uri ?? uri(nodes.map((node) => new URL(node.uri).host)),
    own: nodes.every(({ own }) => own),
    nodes,
    kill: () => each((node) => node.kill()),
    restart: () => each((node) => node.restart()),
    pause: () => each((node) => node.pause()),
    resume: () => each((node) => node.resume()),
    proxy: async () => {
      if (front !== undefined) return front.proxy();
      // Clients that begin with the first address do not all begin with the same node.
      turn += 1;
      const order = nodes.map((_, index) => nodes[(turn + index) % nodes.length] ?? first);
      return joinedProxy(await Promise.all(order.map((node) => node.proxy())), uri);
    },
    stop: async (failed) => {
      await each((node) => node.stop(failed));
      onStop?.();
    },
  };
}

/** A proxy for each node, used as one. */
function joinedProxy(proxies: readonly BrokerProxy[], uri: (addresses: readonly string[]) => string): BrokerProxy {
  const [first] = proxies;
  if (first === undefined) throw new Error("a cluster without a broker");
  const each = (act: (proxy: BrokerProxy) => void) => {
    for (const proxy of proxies) act(proxy);
  };
  return {
    host: first.host,
    port: first.port,
    uri: uri(proxies.map(({ host, port }) => `${host}:${port}`)),
    routes: Object.assign({}, ...proxies.map(({ routes }) => routes)),
    get connections() {
      return proxies.reduce((sum, { connections }) => sum + connections, 0);
    },
    cut: () => each((proxy) => proxy.cut()),
    refuse: () => each((proxy) => proxy.refuse()),
    stall: () => each((proxy) => proxy.stall()),
    stallSome: (chosen) => each((proxy) => proxy.stallSome(chosen)),
    halfOpen: () => each((proxy) => proxy.halfOpen()),
    loseReplies: () => each((proxy) => proxy.loseReplies()),
    accept: () => each((proxy) => proxy.accept()),
    flow: () => each((proxy) => proxy.flow()),
    close: async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
}
