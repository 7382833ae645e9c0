import { createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Stands in for Sentinel, which the test servers cannot run as: says which server is the primary. */
export interface SentinelDouble {
  readonly port: number;
  primary: { readonly host: string; readonly port: number };
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
        socket.write(answer(words, double.primary));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const double = { port: typeof address === "object" ? (address?.port ?? 0) : 0, primary };
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

function answer([command = "", what = ""]: string[], { host, port }: SentinelDouble["primary"]): string {
  switch (`${command} ${what}`.toLowerCase().trim()) {
    case "sentinel get-master-addr-by-name":
      return `*2\r\n$${host.length}\r\n${host}\r\n$${String(port).length}\r\n${port}\r\n`;
    case "sentinel sentinels":
      return "*0\r\n";
    case "hello 3":
      return "-NOPROTO unsupported protocol version\r\n";
    default:
      return "+OK\r\n";
  }
}
