import { connect } from "node:net";
import { createServer, type TlsOptions } from "node:tls";
import { PapaApp } from "@papa-events/core";
import { amqp } from "@papa-events/transport-amqp";
import { generate } from "selfsigned";
import { expect, test } from "vitest";
import { brokerUrl, quiet, Space } from "../support/broker.ts";
import { failure } from "../support/failure.ts";
import { listen } from "../support/listen.ts";
import { until } from "../support/wait.ts";

/** The broker's port with TLS in front of it. */
function tlsPort(options: TlsOptions): Promise<number> {
  const server = createServer(options, (client) => {
    const broker = connect(Number(new URL(brokerUrl()).port || 5672), new URL(brokerUrl()).hostname);
    client.on("error", () => broker.destroy());
    broker.on("error", () => client.destroy());
    client.pipe(broker).pipe(client);
  });
  return listen(server);
}

test("L4 TLS to a port without it, and the other way round, and a certificate that nobody vouches for", async () => {
  const plain = await failure(brokerUrl().replace(/^amqp:/, "amqps:"));
  expect(plain).toMatchObject({ code: "connection-failed" });
  expect(plain.message).toMatch(/TLS/);
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }]);
  const port = await tlsPort({ key, cert });
  const untrusted = await failure(`amqps://guest:s3cret@localhost:${port}`);
  expect(untrusted).toMatchObject({ code: "connection-failed", retryable: false });
  expect(untrusted.message).toMatch(/SELF_SIGNED/);
  const unexpected = await failure(`amqp://guest:s3cret@localhost:${port}`);
  expect(unexpected.code).toBe("connection-failed");
});

test("L4 TLS with an authority of its own, and with a client's certificate where the broker wants one", async () => {
  const {
    private: key,
    cert,
    clientprivate,
    clientcert,
  } = await generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    clientCertificate: true,
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
    ],
  });
  const port = await tlsPort({ key, cert, ca: cert, requestCert: true, rejectUnauthorized: true });
  const { prefix } = new Space();
  const uri = `amqps://guest:guest@localhost:${port}?prefix=${prefix}`;
  const stranger = await failure(uri, { tls: { ca: cert } });
  expect(stranger).toMatchObject({ code: "connection-failed" });
  const tls = { ca: cert, cert: clientcert, key: clientprivate };
  const app = new PapaApp({ transport: amqp({ uri, tls }), logger: quiet });
  const got: unknown[] = [];
  app.onEvent("x", { useCase: "uc" }, (payload) => void got.push(payload));
  await app.start();
  await app.newEvent("x", 1);
  await until("it is handled", () => got.length === 1);
  await app.stop();
});
