import { connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { openConnection } from "../../src/client/open-connection.ts";
import { readUri } from "../../src/client/options.ts";
import { brokerUrl, brokerUrlWith } from "../support/broker.ts";
import { failure } from "../support/failure.ts";
import { methodFrame } from "../support/frames.ts";
import { listen } from "../support/listen.ts";
import { until } from "../support/wait.ts";

test("L4 a wrong port or host is reported at once", async () => {
  const refused = await failure("amqp://guest:s3cret@127.0.0.1:1");
  expect(refused).toMatchObject({ code: "connection-failed", retryable: true });
  expect(refused.message).toContain("127.0.0.1:1");
  const unknown = await failure("amqp://guest:s3cret@no-such-host.invalid");
  expect(unknown).toMatchObject({ code: "connection-failed" });
  expect(unknown.message).toContain("no-such-host.invalid");
});

test("L4 a host that never answers is given up in time", async () => {
  const port = await listen(createServer(() => {}));
  const error = await failure(`amqp://guest:s3cret@127.0.0.1:${port}`);
  expect(error.code).toBe("connection-failed");
});

test("L4 a wrong password and a wrong virtual host are refused access", async () => {
  const password = await failure(brokerUrlWith((url) => (url.password = "s3cret")));
  expect(password.code).toBe("access-refused");
  expect(password.message).toMatch(/ACCESS|login|refuse/i);
  const vhost = await failure(brokerUrlWith((url) => (url.pathname = "/no-such-vhost")));
  expect(vhost.code).toBe("access-refused");
  expect(vhost.message).toContain("no-such-vhost");
});

test("L4 a RabbitMQ that is too old is refused", async () => {
  const table = (entries: Record<string, string>) => {
    const parts = Object.entries(entries).map(([name, value]) => {
      const head = Buffer.alloc(6 + name.length);
      head.writeUInt8(name.length, 0);
      head.write(name, 1);
      head.write("S", 1 + name.length);
      head.writeUInt32BE(value.length, 2 + name.length);
      return Buffer.concat([head, Buffer.from(value)]);
    });
    const body = Buffer.concat(parts);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(body.length);
    return Buffer.concat([size, body]);
  };
  const long = (text: string) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(text.length);
    return Buffer.concat([size, Buffer.from(text)]);
  };
  const replies = [
    methodFrame(
      10,
      10,
      Buffer.concat([
        Buffer.from([0, 9]),
        table({ product: "RabbitMQ", version: "3.9.29" }),
        long("PLAIN"),
        long("en_US"),
      ]),
    ),
    methodFrame(10, 30, Buffer.from([0, 10, 0, 2, 0, 0, 0, 0])),
    methodFrame(10, 41, Buffer.from([0])),
  ];
  const port = await listen(
    createServer((socket) => {
      const left = [...replies];
      socket.on("error", () => {});
      socket.on("data", (data) => {
        // The protocol header, start-ok, then tune-ok and open together.
        const next = left.shift();
        if (next !== undefined) socket.write(next);
        else if (data.includes(Buffer.from([0, 10, 0, 50]))) socket.end(methodFrame(10, 51, Buffer.alloc(0)));
      });
    }),
  );
  const error = await failure(`amqp://guest:s3cret@127.0.0.1:${port}`);
  expect(error).toMatchObject({ code: "unsupported-broker" });
  expect(error.message).toContain("3.9.29");
});

test("L3 the socket of a peer that is gone is dropped, though it never closes it", async () => {
  const broker = new URL(brokerUrl());
  let gone = false;
  const port = await listen(
    createServer({ allowHalfOpen: true }, (client) => {
      const there = connect(Number(broker.port || 5672), broker.hostname);
      client.on("error", () => {}).on("close", () => there.destroy());
      client.on("data", (data) => gone || there.write(data));
      there.on("error", () => {}).on("data", (data) => gone || client.write(data));
    }),
  );
  const url = brokerUrlWith((each) => {
    each.hostname = "127.0.0.1";
    each.port = String(port);
    each.searchParams.set("heartbeat", "1");
  });
  const { model } = await openConnection(readUri(url), "test");
  const { stream } = model.connection as unknown as { readonly stream: Socket };
  let closed = false;
  model.on("close", () => {
    closed = true;
  });
  gone = true;
  await until("it is given up", () => closed);
  expect(stream.destroyed).toBe(false);
  await until("its socket is dropped", () => stream.destroyed);
});
