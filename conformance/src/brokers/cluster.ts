import type { Broker } from "./broker.ts";
import type { BrokerProxy } from "./proxy.ts";

/** Several brokers as one: what is done to it is done to each of them. */
export function clusterOf(
  nodes: readonly [Broker, ...Broker[]],
  uri: (addresses: readonly string[]) => string,
): Broker {
  const { kind, version, way } = nodes[0];
  const each = async (act: (node: Broker) => Promise<void>) => {
    await Promise.all(nodes.map(act));
  };
  return {
    kind,
    version,
    way,
    uri: uri(nodes.map((node) => new URL(node.uri).host)),
    own: nodes.every(({ own }) => own),
    nodes,
    kill: () => each((node) => node.kill()),
    restart: () => each((node) => node.restart()),
    pause: () => each((node) => node.pause()),
    resume: () => each((node) => node.resume()),
    proxy: async () => joined(await Promise.all(nodes.map((node) => node.proxy())), uri),
    stop: (failed) => each((node) => node.stop(failed)),
  };
}

/** A proxy for each node, used as one. */
function joined(proxies: readonly BrokerProxy[], uri: (addresses: readonly string[]) => string): BrokerProxy {
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
