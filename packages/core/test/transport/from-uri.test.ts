import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { PapaApp } from "../../src/index.ts";
import { transportFromUri } from "../../src/uri.ts";
import { FakeTransport, silent, thrownBy } from "../support.ts";

describe("transportFromUri", () => {
  it.each([
    ["memory:", "memory"],
    ["memory:orders", "memory"],
    ["amqp://guest:guest@localhost", "amqp"],
    ["amqps://localhost", "amqp"],
    ["kafka://one:9092,two:9092", "kafka"],
    ["kafkas://one:9093", "kafka"],
    ["redis://localhost/1", "redis-streams"],
    ["REDISS://localhost", "redis-streams"],
  ])("knows %s by its scheme, and loads nothing yet", (uri, name) => {
    expect(transportFromUri(uri).name).toBe(name);
  });

  const known = "there are memory:, amqp:, amqps:, kafka:, kafkas:, redis:, rediss:.";
  it.each([
    ["nats://user:secret@localhost", "nats", `"nats:" is not a known scheme of a transport URL; ${known}`],
    ["localhost:5672", "localhost", `"localhost:" is not a known scheme of a transport URL; ${known}`],
    ["constructor:x", "constructor", `"constructor:" is not a known scheme of a transport URL; ${known}`],
    ["/var/run/broker", "", `The transport URL has no scheme; ${known}`],
    ["", "", `The transport URL has no scheme; ${known}`],
  ])("refuses %s at the call", (uri, scheme, message) => {
    expect(thrownBy(() => transportFromUri(uri))).toMatchObject({
      code: "unknown-scheme",
      message,
      details: { scheme, known: ["memory", "amqp", "amqps", "kafka", "kafkas", "redis", "rediss"] },
    });
  });

  it.each([undefined, null, new URL("amqp://localhost")])("refuses %s, which is no text", (uri) => {
    expect(thrownBy(() => transportFromUri(uri as never))).toMatchObject({
      code: "invalid-option",
      message: `transportFromUri: a URL is needed, not a value of type ${typeof uri}.`,
    });
  });

  it("takes factories of one's own, before the known ones", () => {
    const uris: string[] = [];
    const transport = new FakeTransport();
    const factory = (uri: string) => {
      uris.push(uri);
      return transport;
    };
    expect(transportFromUri("nats://localhost", { nats: factory })).toBe(transport);
    expect(transportFromUri("AMQP://localhost", { amqp: factory })).toBe(transport);
    expect(uris).toEqual(["nats://localhost", "AMQP://localhost"]);
    expect(thrownBy(() => transportFromUri("x:", { nats: factory }))).toHaveProperty(
      "message",
      '"x:" is not a known scheme of a transport URL; there are nats:, memory:, amqp:, amqps:, kafka:, kafkas:, redis:, rediss:.',
    );
  });

  it("memory:name is the process's one of that name, memory: a new one each time", async () => {
    const seen: string[] = [];
    const start = async (uri: string) => {
      const app = new PapaApp({ transport: transportFromUri(uri), logger: silent });
      app.onEvent("#", { useCase: `log_${seen.length}_${Math.random()}` }, () => void seen.push(uri));
      await app.start();
      return app;
    };
    const apps = await Promise.all(
      ["memory:shop", "memory://shop", "memory:shop?prefix=a", "memory:", "memory:"].map(start),
    );
    await apps[0]?.newEvent("a", 1);
    await apps[3]?.newEvent("a", 1);
    await vi.waitFor(() => expect(seen).toHaveLength(3));
    for (const app of apps) await app.stop();
    expect(seen.sort()).toEqual(["memory:", "memory://shop", "memory:shop"]);
  });

  it("L4 a bad memory URL rejects start(), says what is right, and tells no secret", async () => {
    const app = new PapaApp({ transport: transportFromUri("memory://user:secret@host/x"), logger: silent });
    const error: unknown = await app.start().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "invalid-option" });
    expect(String(error)).toContain("memory:, memory:name or memory:name?prefix=namespace");
    expect(String(error)).not.toContain("secret");
  });
});

/** Runs a program as a module of its own and gives what it prints. */
async function printedBy(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  return stdout.trim();
}

const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

it("L4 a scheme whose package is not installed rejects start() with the command that installs it, as often as it is tried", async () => {
  const printed = await printedBy(`
    import { PapaApp } from ${source("index.ts")};
    import { transportFromUri } from ${source("uri.ts")};
    // As though it were not installed, whatever this workspace has.
    import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        if (!specifier.startsWith("@papa-events/transport-")) return next(specifier, context);
        throw Object.assign(new Error("Cannot find package '" + specifier + "' imported from here"), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });
    const app = new PapaApp({ transport: transportFromUri("redis://:secret@localhost") });
    for (let time = 0; time < 2; time += 1)
      await app.start().catch(({ code, message, details }) => console.log(JSON.stringify({ code, message, details })));
  `);
  const told = {
    code: "transport-not-installed",
    message:
      'The URL scheme "redis:" needs a package that is not installed: npm install @papa-events/transport-redis-streams. ' +
      'A bundled program imports it itself: import { fromUri } from "@papa-events/transport-redis-streams"; ' +
      "transportFromUri(url, { redis: fromUri }).",
    details: { scheme: "redis", package: "@papa-events/transport-redis-streams" },
  };
  expect(printed.split("\n").map((line) => JSON.parse(line) as unknown)).toEqual([told, told]);
});

it("a package that is installed and fails to load says why, and not that it is missing", async () => {
  const printed = await printedBy(`
    import { PapaApp } from ${source("index.ts")};
    import { transportFromUri } from ${source("uri.ts")};
    import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        if (!specifier.startsWith("@papa-events/transport-")) return next(specifier, context);
        return { url: "data:text/javascript,import 'amqplib-that-is-missing'", shortCircuit: true };
      },
    });
    const app = new PapaApp({ transport: transportFromUri("amqp://localhost") });
    await app.start().catch((error) => console.log(error.message));
  `);
  expect(printed).toContain("amqplib-that-is-missing");
  expect(printed).not.toContain("npm install");
});
