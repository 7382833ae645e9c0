import { connect } from "node:net";
import { brokerUrl } from "./broker.ts";

const u16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const u32 = (value: number) => Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);
const short = (text: string) => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
const long = (text: string) => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(text)]);
const frame = (type: number, channel: number, ...payload: Buffer[]) => {
  const all = Buffer.concat(payload);
  return Buffer.concat([Buffer.from([type]), u16(channel), u32(all.length), all, Buffer.from([0xce])]);
};
const method = (channel: number, classId: number, id: number, ...args: Buffer[]) =>
  frame(1, channel, u16(classId), u16(id), ...args);

/** Publishes what amqplib cannot: a message whose only header holds so many lists in one another. */
export async function publishNested(exchange: string, key: string, body: string, depth: number): Promise<void> {
  const { hostname, port, username, password } = new URL(brokerUrl());
  const lists = Buffer.alloc(depth * 5);
  for (let level = 0; level < depth; level += 1) {
    lists.write("A", level * 5);
    lists.writeUInt32BE((depth - level - 1) * 5, level * 5 + 1);
  }
  const table = Buffer.concat([short("deep"), lists]);
  const login = long(`\0${username || "guest"}\0${password || "guest"}`);
  const replies = [
    [method(0, 10, 11, u32(0), short("PLAIN"), login, short("en_US"))],
    [method(0, 10, 31, u16(2_047), u32(131_072), u16(0)), method(0, 10, 40, short("/"), short(""), Buffer.from([0]))],
    [method(1, 20, 10, short(""))],
    [
      method(1, 60, 40, u16(0), short(exchange), short(key), Buffer.from([0])),
      frame(2, 1, u16(60), u16(0), u32(0), u32(body.length), u16(1 << 13), u32(table.length), table),
      frame(3, 1, Buffer.from(body)),
      // Answered after what comes before it.
      method(1, 20, 40, u16(200), short(""), u16(0), u16(0)),
    ],
  ];
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port || 5672), hostname);
    // Some brokers reset a connection that ends without its last words.
    socket.on("error", (error) => (replies.length > 0 ? reject(error) : resolve()));
    socket.write("AMQP\0\0\x09\x01", "latin1");
    socket.on("data", () => {
      const reply = replies.shift();
      if (reply !== undefined) socket.write(Buffer.concat(reply));
      else socket.destroy();
    });
    socket.on("close", () => resolve());
  });
}
