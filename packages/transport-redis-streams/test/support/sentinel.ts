import { createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Stands in for Sentinel, which the test servers cannot run as: says which server is the primary. */
export interface SentinelDouble {
  readonly port: number;
  primary: { readonly host: string; readonly port: number };
  /** Counted up by each failover that it knows of. */
  epoch: number;
  /** How often it was asked about the primary and its epoch. */
  asked: number;
  /** How many are connected to it. */
  readonly connections: number;
}

export async function startSentinel(primary: SentinelDouble["primary"]): Promise<SentinelDouble> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let rest = "";
    socket.on("data", (data: Buffer) => {
      rest += data.toString();
      for (;;) {
        const [words, length] = parse(rest);
        if (words === undefined) return;
        rest = rest.slice(length);
        if (words[1]?.toLowerCase() === "master") double.asked += 1;
        socket.write(answer(words, double));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const double = {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    primary,
    epoch: 0,
    asked: 0,
    get connections() {
      return sockets.size;
    },
  };
  return double;
}

/** One command of what has arrived, and its length; nothing while it is incomplete. */
function parse(text: string): [words: string[] | undefined, length: number] {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return [undefined, 0];
  const words: string[] = [];
  let at = head[0].length;
  for (let word = 0; word < Number(head[1]); word += 1) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return [undefined, 0];
    at += size[0].length;
    const end = at + Number(size[1]);
    if (text.length < end + 2) return [undefined, 0];
    words.push(text.slice(at, end));
    at = end + 2;
  }
  return [words, at];
}

function answer([command = "", what = ""]: string[], { primary, epoch }: SentinelDouble): string {
  const { host, port } = primary;
  switch (`${command} ${what}`.toLowerCase().trim()) {
    case "sentinel get-master-addr-by-name":
      return list([host, port]);
    case "sentinel master":
      return list(["name", "port", "ip", host, "port", port, "flags", "master", "config-epoch", epoch]);
    case "sentinel sentinels":
      return "*0\r\n";
    case "hello 3":
      return "-NOPROTO unsupported protocol version\r\n";
    default:
      return "+OK\r\n";
  }
}

function list(values: readonly (string | number)[]): string {
  return `*${values.length}\r\n${values.map((value) => `$${String(value).length}\r\n${value}\r\n`).join("")}`;
}
