import { createServer } from "node:net";
import { PapaApp } from "@papa-events/core";
import { amqp } from "@papa-events/transport-amqp";
import { expect, onTestFinished, test } from "vitest";
import { brokerUrl, brokerUrlWith, quiet, Space } from "../support/broker.ts";
import { failure } from "../support/failure.ts";
import { listen } from "../support/listen.ts";
import { startTestProxy } from "../support/proxy.ts";
import { until } from "../support/wait.ts";

/** The broker's URL with other hosts. */
function urlOf(space: Space, ...hosts: readonly string[]): string {
  return space.url().replace(new URL(brokerUrl()).host, hosts.join(","));
}

test("L3, L4 any address that answers will do, while one refuses and one accepts and never answers", async () => {
  const space = new Space();
  const silent = await listen(createServer((socket) => void socket.on("error", () => {})));
  const { host } = new URL(brokerUrl());
  const transport = amqp({ uri: urlOf(space, "127.0.0.1:1", `127.0.0.1:${silent}`, host), connectTimeout: 3_000 });
  const app = new PapaApp({ transport, logger: quiet });
  onTestFinished(() => app.stop());
  let handled = 0;
  app.onEvent("x", { useCase: "uc" }, () => void (handled += 1));
  await app.start();
  await app.newEvent("x", 1);
  await until("it is handled", () => handled === 1);
});

test("L3 after a loss the next address is used, also when the first never comes back", async () => {
  const space = new Space();
  const [first, second] = [await startTestProxy(), await startTestProxy()];
  const hosts = [first, second].map(({ uri }) => new URL(uri).host);
  const app = new PapaApp({ transport: amqp(urlOf(space, ...hosts)), logger: quiet });
  onTestFinished(() => app.stop());
  let handled = 0;
  app.onEvent("x", { useCase: "uc" }, () => void (handled += 1));
  await app.start();
  await first.close();
  await app.newEvent("x", 1);
  await until("it is handled by way of the second", () => handled === 1);
  expect(app.health()).toMatchObject({ healthy: true });
});

test("L4 each address is named with what is wrong with it, and what no other can mend goes first", async () => {
  const url = (hosts: string) => `amqp://guest:s3cret@${hosts}`;
  const none = await failure(url("127.0.0.1:1,127.0.0.1:2"));
  expect(none).toMatchObject({ code: "connection-failed", retryable: true });
  expect(none.message).toContain("127.0.0.1:1,127.0.0.1:2");
  const { host } = new URL(brokerUrlWith(() => {}));
  expect(await failure(url(`127.0.0.1:1,${host}`))).toMatchObject({ code: "access-refused" });
});
