import { connect } from "node:net";
import { createServer } from "node:tls";
import { isPapaError, PapaApp } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { generate } from "selfsigned";
import { expect, onTestFinished, test } from "vitest";
import { quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** A port that speaks TLS, with a self-signed certificate, in front of the server. */
async function tlsPort(uri: string) {
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], { algorithm: "sha256" });
  const { hostname, port } = new URL(uri);
  const server = createServer({ key, cert }, (client) => {
    const inner = connect(Number(port), hostname);
    client.on("error", () => inner.destroy()).pipe(inner);
    inner.on("error", () => client.destroy()).pipe(client);
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return { port: typeof address === "object" ? address?.port : 0, cert };
}

const startError = (transport: ReturnType<typeof redisStreams>): Promise<unknown> =>
  new PapaApp({ transport, logger: quiet }).start().then(
    () => undefined,
    (error: unknown) => error,
  );

test("L4 TLS works with the authority given, and refuses a self-signed certificate", async () => {
  const space = new Space();
  const { port, cert } = await tlsPort(space.uri);
  const uri = `rediss://localhost:${port}?prefix=${space.prefix}`;
  const untrusted = await startError(redisStreams(uri));
  expect(isPapaError(untrusted, "connection-failed") && untrusted.message).toMatch(/TLS .*SELF_SIGNED/);
  expect(isPapaError(untrusted) && untrusted.retryable).toBe(false);
  const plain = await startError(redisStreams(`redis://localhost:${port}?connectTimeout=1000`));
  expect(isPapaError(plain, "connection-failed"), String(plain)).toBe(true);
  const handled: unknown[] = [];
  const app = new PapaApp({ transport: redisStreams({ uri, tls: { ca: cert } }), logger: quiet });
  app.onEvent("x", { useCase: "uc" }, (payload) => void handled.push(payload));
  await app.start();
  await app.newEvent("x", { safe: true });
  await until("it is handled", () => handled.length === 1);
  await app.stop();
});
