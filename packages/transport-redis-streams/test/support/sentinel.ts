import { list, startDouble } from "./double.ts";

/** Stands in for Sentinel, which the test servers cannot run as: says which server is the primary. */
export interface SentinelDouble {
  readonly port: number;
  primary: { readonly host: string; readonly port: number };
  /** Counted up by each failover that it knows of. */
  epoch: number;
  /** How often it was asked about the primary and its epoch. */
  asked: number;
  /** What it waits for before it says where to connect. */
  ready: Promise<void>;
  /** How many are connected to it. */
  readonly connections: number;
}

export async function startSentinel(primary: SentinelDouble["primary"]): Promise<SentinelDouble> {
  const server = await startDouble({ answer: (words) => answer(words, double) });
  const double: SentinelDouble = {
    port: server.port,
    primary,
    epoch: 0,
    asked: 0,
    ready: Promise.resolve(),
    get connections() {
      return server.connections;
    },
  };
  return double;
}

async function answer([command = "", what = ""]: readonly string[], double: SentinelDouble): Promise<string> {
  switch (`${command} ${what}`.toLowerCase().trim()) {
    case "sentinel get-master-addr-by-name":
      await double.ready;
      return list([double.primary.host, double.primary.port]);
    case "sentinel master": {
      double.asked += 1;
      const { host, port } = double.primary;
      return list(["name", "port", "ip", host, "port", port, "flags", "master", "config-epoch", double.epoch]);
    }
    case "sentinel sentinels":
      return "*0\r\n";
    case "hello 3":
      return "-NOPROTO unsupported protocol version\r\n";
    default:
      return "+OK\r\n";
  }
}
