import { connect as connectTo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A way to the server that lets so many bytes pass per second. */
export async function slowLine(uri: string, bytesPerSecond: number): Promise<string> {
  const { hostname, port } = new URL(uri);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const broker = connectTo(Number(port), hostname);
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .on("close", () => {
          client.destroy();
          broker.destroy();
        });
    }
    broker.pipe(client);
    client.on("data", (data) => {
      broker.write(data);
      client.pause();
      setTimeout(() => client.resume(), (data.length / bytesPerSecond) * 1_000);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `redis://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}
