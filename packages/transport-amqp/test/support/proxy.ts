import { connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { brokerUrl } from "./broker.ts";

/** A TCP proxy before the broker, whose connections can be cut and stalled. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #refusing = false;
  cuts = 0;

  static async start(): Promise<TcpProxy> {
    const proxy = new TcpProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => proxy.stop());
    return proxy;
  }

  private constructor() {
    this.#server = createServer((client) => this.#join(client));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Ends all connections at once, without a goodbye. */
  cut(): void {
    this.cuts += 1;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Lets nobody in until {@link admit}. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  admit(): void {
    this.#refusing = false;
  }

  stop(): void {
    this.cut();
    this.#server.close();
  }

  #join(client: Socket): void {
    if (this.#refusing) return void client.resetAndDestroy();
    const { hostname, port } = new URL(brokerUrl());
    const server = connect(Number(port || 5672), hostname);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}
