import type { Transport } from "@papa-events/core/transport";
import { transportFromUri } from "@papa-events/core/uri";

/** How a program reaches the broker. */
export interface Access {
  /** The transport's URL. */
  readonly uri: string;
  /** Which options make the transport, where a URL alone does not. */
  readonly by?: "kafka" | "redis-cluster" | "redis-sentinel" | undefined;
  /** Where to connect for each address that the broker gives, as `host:port`; there itself unless set. */
  readonly routes?: Readonly<Record<string, string>> | undefined;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Makes the transport. */
export async function transportOf({ uri, by, routes = {} }: Access): Promise<Transport> {
  if (by === undefined) return transportFromUri(uri);
  const route = (host: string, port: number) => addressOf(routes[`${host}:${port}`] ?? `${host}:${port}`);
  if (by === "kafka") {
    const { kafka } = await adapter<{ kafka(options: object): Transport }>("kafka");
    return kafka({ uri, route });
  }
  const { redisStreams } = await adapter<{ redisStreams(options: object): Transport }>("redis-streams");
  const {
    hosts = "",
    name,
    query,
  } = /^[^:]+:\/\/(?<hosts>[^/?]+)\/?(?<name>[^?]*)\??(?<query>.*)$/.exec(uri)?.groups ?? {};
  const nodes = hosts.split(",").map((each) => addressOf(routes[each] ?? each));
  const natMap = Object.fromEntries(Object.entries(routes).map(([from, to]) => [from, addressOf(to)]));
  const { connectTimeout, ...rest } = Object.fromEntries(new URLSearchParams(query));
  const options = { ...rest, ...(connectTimeout !== undefined && { connectTimeout: Number(connectTimeout) }) };
  return by === "redis-cluster"
    ? redisStreams({ ...options, cluster: { nodes, options: { natMap } } })
    : redisStreams({ ...options, connection: { sentinels: nodes, name, natMap } });
}

/** The name is a variable: this package depends on no transport. */
async function adapter<T>(name: string): Promise<T> {
  const module = `@papa-events/transport-${name}`;
  return (await import(module)) as T;
}

function addressOf(text: string): Address {
  const [host = "", port] = text.split(":");
  return { host, port: Number(port) };
}
