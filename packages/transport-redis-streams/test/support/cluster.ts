import { type Double, startDouble } from "./double.ts";

const STATE = "cluster_state:ok";

/** Stands in for a cluster of two nodes, the second of which never ends a connection by itself; their ports. */
export async function startCluster(): Promise<readonly [first: number, second: number]> {
  const nodes: Double[] = [];
  const answer = ([command = "", what = ""]: readonly string[]) => {
    switch (`${command} ${what}`.toLowerCase().trim()) {
      case "cluster slots":
        return `*2\r\n${range(0, 8_191, nodes[0])}${range(8_192, 16_383, nodes[1])}`;
      case "cluster info":
        return `$${STATE.length}\r\n${STATE}\r\n`;
      case "hello 3":
        return "-NOPROTO unsupported protocol version\r\n";
      default:
        return "+OK\r\n";
    }
  };
  const first = await startDouble({ answer });
  const second = await startDouble({ answer, keepsHalfOpen: true });
  nodes.push(first, second);
  return [first.port, second.port];
}

function range(from: number, to: number, node: Double | undefined): string {
  return `*3\r\n:${from}\r\n:${to}\r\n*3\r\n$9\r\n127.0.0.1\r\n:${node?.port}\r\n$4\r\nnode\r\n`;
}
