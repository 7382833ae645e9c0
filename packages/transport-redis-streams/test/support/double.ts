import { createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Stands in for a server that the tests cannot run. */
export interface Double {
  readonly port: number;
  /** How many are connected to it. */
  readonly connections: number;
}

export interface DoubleOptions {
  /** Gives the reply to a command, as it goes over the line. */
  readonly answer: (words: readonly string[]) => string | Promise<string>;
  /** Leaves a connection half open whose client has ended it. */
  readonly keepsHalfOpen?: boolean;
}

export async function startDouble({ answer, keepsHalfOpen = false }: DoubleOptions): Promise<Double> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: keepsHalfOpen }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let rest = "";
    let turn = Promise.resolve();
    socket.on("data", (data: Buffer) => {
      rest += data.toString();
      for (;;) {
        const [words, length] = parse(rest);
        if (words === undefined) return;
        rest = rest.slice(length);
        turn = turn.then(async () => void socket.write(await answer(words)));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    get connections() {
      return sockets.size;
    },
  };
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

/** A list of strings, as it goes over the line. */
export function list(values: readonly (string | number)[]): string {
  return `*${values.length}\r\n${values.map((value) => `$${String(value).length}\r\n${value}\r\n`).join("")}`;
}
