import { connect, createServer } from "node:net";

/** The host that brokers of tests listen on. */
export const LOCAL = "127.0.0.1";

/** Ports that nobody listens on now. They are taken all at once, so that none is given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, LOCAL, resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a server without a port");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The first bytes that come back for `hello`, or `undefined` when none come in time. */
export function answerTo(host: string, port: number, hello: Uint8Array, limit = 2_000): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer?: Buffer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(limit, () => end());
    socket.once("connect", () => socket.write(hello));
    socket.once("data", end);
    socket.once("error", () => end());
    socket.once("close", () => end());
  });
}

/** Resolves when nothing listens any more: a process that was killed may hold its port for a moment. */
export async function untilRefused(host: string, port: number): Promise<void> {
  while (await isOpen(host, port)) await new Promise((resolve) => setTimeout(resolve, 20));
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
