import { connect, createServer, type Socket } from "node:net";
import { brokerUrl } from "./broker.ts";
import { listen } from "./listen.ts";

/** A method of AMQP 0-9-1 on channel 0, as it is on the wire. */
export function methodFrame(classId: number, methodId: number, args: Buffer): Buffer {
  const payload = Buffer.concat([Buffer.from([0, classId, 0, methodId]), args]);
  const head = Buffer.alloc(7);
  head.writeUInt8(1, 0);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

/** A proxy in front of the broker that can say something to all its clients itself, while the broker says nothing. */
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
