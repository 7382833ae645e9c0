import { connect, createServer, type Socket } from "node:net";
import { brokerUrl } from "./broker.ts";
import { listen } from "./listen.ts";

/** Encodes a method of AMQP 0-9-1 on channel 0. */
export function methodFrame(classId: number, methodId: number, args: Buffer): Buffer {
  const payload = Buffer.concat([Buffer.from([0, classId, 0, methodId]), args]);
  const head = Buffer.alloc(7);
  head.writeUInt8(1, 0);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

/** Starts a proxy in front of the broker that can also send bytes of its own to all clients. */
export async function talkingProxy(): Promise<{ port: number; toClients: (bytes: Buffer) => void }> {
  const clients = new Set<Socket>();
  const { hostname, port } = new URL(brokerUrl());
  const server = createServer((client) => {
    const broker = connect(Number(port || 5672), hostname);
    clients.add(client);
    client.on("error", () => broker.destroy()).on("close", () => clients.delete(client));
    broker.on("error", () => client.destroy());
    client.pipe(broker).pipe(client);
  });
  return {
    port: await listen(server),
    toClients: (bytes) => {
      for (const client of clients) client.write(bytes);
    },
  };
}
