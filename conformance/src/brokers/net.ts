import { randomInt } from "node:crypto";
import { connect, createServer, type Server } from "node:net";

/** The host that brokers of tests listen on. */
export const LOCAL = "127.0.0.1";

/**
 * Where ports for brokers are looked for: below those that systems give to outgoing connections (Linux from 32,768 on), for
 * one of these may take a port between this look and the broker's start.
 */
const LOWEST_PORT = 10_000;
const HIGHEST_PORT = 32_767;

/** Ports that nobody listens on now. They are taken all at once, so that none is given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const taken: { readonly port: number; readonly server: Server }[] = [];
  while (taken.length < count) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT + 1);
    const server = await listen(port);
    if (server !== undefined) taken.push({ port, server });
  }
  await Promise.all(taken.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  return taken.map(({ port }) => port);
}

/** `undefined` where somebody listens already, or nobody may. */
function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen(port, LOCAL, () => resolve(server));
  });
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

/**
 * Resolves when nobody serves any more: a process that was killed may hold its port for a moment, and what leads to a
 * broker that is dead takes connections and drops them.
 */
export async function untilDead(host: string, port: number, hello: Uint8Array): Promise<void> {
  while (await isHeld(host, port, hello)) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Whether a connection is neither refused nor dropped. */
function isHeld(host: string, port: number, hello: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (held: boolean) => {
      socket.destroy();
      resolve(held);
    };
    socket.setTimeout(200, () => end(true));
    socket.once("connect", () => socket.write(hello));
    socket.once("data", () => end(true));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
  });
}
