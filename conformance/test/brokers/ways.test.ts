import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, test, vi } from "vitest";
import { BrokerNotOwn, BrokerUnavailable, redis } from "../../src/brokers/index.ts";
import { answerTo, freePorts } from "../../src/brokers/net.ts";
import { redisSpec } from "../../src/brokers/redis.ts";
import { startNode } from "../../src/brokers/start.ts";
import { until } from "../../src/rig/until.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ["alone", new URL("held.ts", import.meta.url)],
  ["of a cluster", new URL("held-cluster.ts", import.meta.url)],
])("a broker %s of a run that is killed ends with it", { timeout: 600_000 }, async (_, program) => {
  const held = fileURLToPath(program);
  const child = spawn(process.execPath, [held], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { hostname, port } = new URL(line.toString().trim());
  const answers = async () => (await answerTo(hostname, Number(port), Buffer.from("PING\r\n"))) !== undefined;
  assert(await answers());
  child.kill("SIGKILL");
  await until("it is gone", async () => !(await answers()), 10_000);
});

test("an address in the environment is used as it is, and not killed", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write("+PONG\r\n"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  const uri = `redis://someone:secret@127.0.0.1:${address.port}`;
  vi.stubEnv("PAPA_EVENTS_REDIS_7_0", uri);
  const broker = await redis("7.0");
  assert.deepEqual([broker.way, broker.own, broker.uri.startsWith(uri)], ["environment", false, true]);
  await assert.rejects(broker.kill(), BrokerNotOwn);
  const proxy = await broker.proxy();
  assert.match(proxy.uri, /^redis:\/\/someone:secret@127\.0\.0\.1:/);
  assert.equal(String(await answerTo(proxy.host, proxy.port, Buffer.from("PING\r\n"))), "+PONG\r\n");
  await broker.stop();
  server.close();
});

test("a broker that ends while it starts is an error at once, with the last it said", {
  timeout: 600_000,
}, async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  const spec = redisSpec("7.0");
  assert(spec.native.from === "tree");
  const { run } = spec.native;
  const native = { ...spec.native, run: (folder: string) => run(folder, [address.port]) };
  await assert.rejects(startNode({ ...spec, native }), (error) => {
    assert(error instanceof BrokerUnavailable);
    assert.match(error.message, /native: it ended before it served, and said last: .*Failed listening on port/);
    return true;
  });
  server.close();
});

test("what cannot be had is one line that names which ways were tried and why, and no secret", async () => {
  const [port = 0] = await freePorts(1);
  vi.stubEnv("PAPA_EVENTS_REDIS", `redis://someone:secret@127.0.0.1:${port}`);
  await assert.rejects(redis("7.0"), (error) => {
    assert(error instanceof BrokerUnavailable);
    assert.match(
      error.message,
      new RegExp(`^redis 7\\.0 cannot be had: environment: at 127\\.0\\.0\\.1:${port} [^\\n]*$`),
    );
    assert(!error.message.includes("secret"));
    return true;
  });
  vi.stubEnv("PAPA_EVENTS_REDIS", "");
  vi.stubEnv("PAPA_EVENTS_BROKERS", "docker");
  vi.stubEnv("DOCKER_HOST", `tcp://127.0.0.1:${port}`);
  await assert.rejects(redis("7.0"), (error) => {
    assert(error instanceof BrokerUnavailable);
    assert.match(error.message, /^redis 7\.0 cannot be had: environment: neither .* is set; docker: [^\n]+$/);
    return true;
  });
});
