import { connect, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { PapaApp } from "@papa-events/core";
import { kafka } from "@papa-events/transport-kafka";
import { generate } from "selfsigned";
import { expect, onTestFinished, test } from "vitest";
import { failure } from "../support/failure.ts";
import { brokerUri, declare, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";
import { ENGINES } from "./engines.ts";

test.each(ENGINES)("L4 a wrong port or host is reported at once (%s)", async (engine) => {
  const port = await failure({ uri: "kafka://user:s3cret@127.0.0.1:1", engine });
  expect(port).toMatchObject({ code: "connection-failed", retryable: true });
  expect(port.message).toContain("127.0.0.1:1");
  const host = await failure({ uri: "kafka://user:s3cret@no-such-host.invalid", engine });
  expect(host.code).toBe("connection-failed");
  expect(host.message).toContain("no-such-host.invalid");
});

test.each(ENGINES)("L4 a server that never answers fails the start in time (%s)", async (engine) => {
  const uri = `kafka://127.0.0.1:${await silentPort()}`;
  const error = await failure({ uri, engine, connectTimeout: 1_000 });
  expect(error).toMatchObject({ code: "connection-failed", retryable: true });
  expect(error.message).toContain("did not answer for 1000 ms");
  const login = await failure({ uri: uri.replace("//", "//user:s3cret@"), engine, connectTimeout: 1_000 });
  expect(login).toMatchObject({ code: "connection-failed", retryable: true });
});

/** A port that accepts and never answers. */
async function silentPort(): Promise<number> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** What was lost with a dead address used to close the connection to the one that lived, and the message blamed the login. */
test("L3 any one address that answers will do at the start, wherever the dead ones stand", async () => {
  const live = new URL(brokerUri().replace("kafka:", "http:")).host;
  const dead = ["127.0.0.1:1", `127.0.0.1:${await silentPort()}`, "no-such-host.invalid:9092"];
  const orders = dead.flatMap((each) => [
    [each, live],
    [live, each],
    [live, each, live],
    [each, each, live],
  ]);
  orders.push([...dead, live], [live, ...dead]);
  for (const order of [...orders, ...orders]) {
    const begun = performance.now();
    const connection = await new Space().connect({ uri: `kafka://${order.join()}` });
    await declare(connection, "uc", ["x"]);
    await connection.close();
    expect(performance.now() - begun, order.join()).toBeLessThan(4_000);
  }
});

test("L4 what is said of dead addresses names the reason and no login", async () => {
  const silent = await silentPort();
  const error = await failure({ uri: `kafka://127.0.0.1:1,127.0.0.1:${silent}`, connectTimeout: 1_000 });
  expect(error).toMatchObject({ code: "connection-failed", retryable: true });
  expect(error.message).not.toMatch(/SASL|login/);
});

test("L4 brokers that advertise addresses nobody can reach fail the start, and the message says which", async () => {
  const { host, hostname, port } = new URL(brokerUri().replace("kafka:", "http:"));
  let asked = 0;
  const route = (to: string, at: number) => {
    asked += 1;
    return asked === 1 ? { host: hostname, port: Number(port) } : { host: to, port: at === 1 ? at : 1 };
  };
  const error = await failure({ uri: `kafka://${host}`, route });
  expect(error.code).toBe("connection-failed");
  expect(error.message).toMatch(/advertise.*:\d+/);
  // Who only publishes used to start.
  asked = 0;
  const publishing = new Space().connect({ uri: `kafka://${host}`, route });
  await expect(publishing).rejects.toMatchObject({ code: "connection-failed" });
});

test.each(ENGINES)("L2 stop() ends in time while the broker is silent (%s)", async (engine) => {
  const space = new Space();
  const { proxy, options } = await space.proxy();
  const app = space.app({ transport: space.transport({ ...options, engine }), drainTimeout: 1_000 });
  let begun = 0;
  app.onEvent("held", { useCase: "silent" }, async (_, { signal }) => {
    begun += 1;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  });
  await app.start();
  await app.newEvent("held", {});
  await until("it is handled", () => begun === 1);
  proxy.stall();
  const stopping = performance.now();
  await app.stop();
  expect(performance.now() - stopping).toBeLessThan(3_000);
  proxy.flow();
});

test.each(ENGINES)("L4 TLS to a port without it is a failed connection (%s)", async (engine) => {
  const error = await failure({ uri: brokerUri().replace("kafka:", "kafkas:"), engine, connectTimeout: 2_000 });
  expect(error.code).toBe("connection-failed");
});

test.each(ENGINES)(
  "L4 a broker with a trusted certificate serves over TLS, one with an unknown certificate is refused (%s)",
  async (engine) => {
    const altNames = [
      { type: 2 as const, value: "localhost" },
      { type: 7 as const, ip: "127.0.0.1" },
    ];
    const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
      algorithm: "sha256",
      extensions: [{ name: "subjectAltName", altNames }],
    });
    const { hostname, port } = new URL(brokerUri().replace("kafka:", "http:"));
    const server = createTlsServer({ key, cert }, (client) => {
      const broker = connect(Number(port), hostname);
      client.pipe(broker).on("error", () => client.destroy());
      broker.pipe(client).on("error", () => broker.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const at = { host: "127.0.0.1", port: typeof address === "object" && address !== null ? address.port : 0 };
    const uri = `kafkas://localhost:${at.port}`;
    const unknown = await failure({ uri, route: () => at, engine });
    expect(unknown).toMatchObject({ code: "connection-failed", retryable: false });
    expect(unknown.message).toMatch(/TLS.*self-signed/);
    const { prefix } = new Space();
    const app = new PapaApp({
      transport: kafka({ uri, prefix, tls: { ca: cert }, route: () => at, engine }),
      logger: quiet,
    });
    let handled = 0;
    app.onEvent("secure", { useCase: "uc" }, () => {
      handled += 1;
    });
    await app.start();
    await app.newEvent("secure", {});
    await until("it is handled", () => handled === 1);
    await app.stop();
  },
);

test.each(ENGINES)(
  "L3 while the cluster is away, what asks it fails at once with an error that says so, and works again later (%s)",
  async (engine) => {
    const space = new Space();
    const { proxy, options } = await space.proxy();
    const statuses: boolean[] = [];
    const connection = await space.connect(
      { ...options, engine },
      { onStatus: ({ connected }) => void statuses.push(connected) },
    );
    await declare(connection, "away", ["away"]);
    proxy.refuse();
    await until("it is away", () => statuses.at(-1) === false);
    const begun = performance.now();
    const away = { code: "connection-failed", retryable: true };
    await expect(connection.inspect("away")).rejects.toMatchObject(away);
    await expect(connection.declarations.list()).rejects.toMatchObject(away);
    await expect(connection.deadLetters("away").count()).rejects.toMatchObject(away);
    expect(performance.now() - begun).toBeLessThan(5_000);
    proxy.accept();
    await until("it is back", () => statuses.at(-1) === true);
    expect(await connection.deadLetters("away").count()).toBe(0);
  },
);
