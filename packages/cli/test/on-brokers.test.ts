import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Broker, kafka, rabbitmq, redis } from "@papa-events/conformance/brokers";
import { PapaApp } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";
import { fromUri as amqp } from "@papa-events/transport-amqp";
import { fromUri as kafkaUri } from "@papa-events/transport-kafka";
import { fromUri as redisUri } from "@papa-events/transport-redis-streams";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bin } from "./support/bin.ts";
import { documents } from "./support/papa.ts";

/** Fetching a broker for the first time takes minutes. */
const FETCHING = 600_000;
/** Some dozen processes, one after the other. */
const STORY = 180_000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const folder = mkdtempSync(join(tmpdir(), "papa-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An app of this process, on the transports' sources. */
function appOn(uri: string): PapaApp {
  const factories = { amqp, kafka: kafkaUri, redis: redisUri };
  return new PapaApp({ transport: transportFromUri(uri, factories), name: "mailer", logger: silent });
}

describe.each([
  ["redis", () => redis("8.6"), "redis://127.0.0.1:1"],
  ["rabbitmq", () => rabbitmq("4.3"), "amqp://127.0.0.1:1"],
  ["kafka", () => kafka("4.4"), "kafka://127.0.0.1:1"],
])("the built command on %s", (name, start, nowhere) => {
  let broker: Broker;
  let uri = "";
  const run = async (...args: string[]) => {
    const ran = await bin(args, { broker: uri });
    expect(ran.stderr).toBe("");
    return ran.stdout;
  };

  beforeAll(async () => {
    broker = await start();
    uri = `${broker.uri}${broker.uri.includes("?") ? "&" : "?"}prefix=papa-cli-${name}`;
  }, FETCHING);
  afterAll(() => broker?.stop());

  it(
    "finds out, looks, mends and sends back, with no app running",
    async () => {
      const app = appOn(uri);
      app.onEvent("user.#", { useCase: "send_welcome", retries: 0 }, async () => {
        throw new Error("no route to \u001b[31mhost");
      });
      await app.start();
      await app.newEvents(
        Array.from({ length: 300 }, (_, n) => ({ name: "user.created", payload: { n, text: "x".repeat(500) } })),
      );
      await vi.waitFor(async () => expect((await app.stats()).send_welcome).toMatchObject({ dead: 300 }), 50_000);
      await app.stop();

      expect(JSON.parse(await run("use-cases", "--json"))).toMatchObject({
        useCases: [{ name: "send_welcome", patterns: ["user.#"], paused: false, stats: { dead: 300 } }],
      });
      const { groups } = JSON.parse(await run("dlq", "summary", "--json")) as { groups: unknown[] };
      expect(groups).toMatchObject([{ error: "Error: no route to \u001b[31mhost", event: "user.created", count: 300 }]);
      const [{ id }] = documents(await run("dlq", "list", "send_welcome", "--limit", "1", "--json")) as [
        { id: string },
      ];
      expect(await run("dlq", "show", "send_welcome", id)).toContain("Error: no route to \\x1b[31mhost");

      // Who has read enough closes the pipe.
      const head = await bin(["dlq", "export", "send_welcome"], {
        broker: uri,
        onOutput: (_, child) => child.stdout?.destroy(),
      });
      expect(head).toMatchObject({ code: 0, stderr: "" });

      const letters = documents(await run("dlq", "export", "send_welcome")) as { payload: { n: number } }[];
      expect(letters).toHaveLength(300);
      const mended = letters.slice(0, 3).map((letter) => ({ ...letter, payload: { n: "mended" } }));
      const path = join(folder, `${name}.jsonl`);
      writeFileSync(path, mended.map((letter) => JSON.stringify(letter)).join("\n"));
      expect(JSON.parse(await run("dlq", "redrive", "send_welcome", "--from", path, "--json"))).toEqual({
        redriven: 3,
      });
      expect(JSON.parse(await run("dlq", "purge", "send_welcome", "--text", "ROUTE", "--yes", "--json"))).toEqual({
        purged: 297,
      });
      expect(await run("stats", "send_welcome")).toBe("send_welcome\t3\t0\t0\t0\t-\n");
    },
    STORY,
  );

  it(
    "acts: pauses, publishes, watches, resumes, removes",
    async () => {
      expect(JSON.parse(await run("pause", "send_welcome", "--json"))).toEqual({ useCase: "send_welcome", done: true });
      const handled: unknown[] = [];
      const app = appOn(uri);
      app.onEvent("user.#", { useCase: "send_welcome" }, async (payload) => void handled.push(payload));
      await app.start();
      let publishing: Promise<string> | undefined;
      const watched = await bin(["tail", "user.*"], {
        broker: uri,
        onOutput: (text, child) => {
          if (text.includes("Watching")) publishing ??= run("publish", "user.created", '{"n":"published"}');
          if (text.includes('{"n":"published"}')) child.kill("SIGINT");
        },
      });
      expect(watched.code).toBe(0);
      expect(watched.stdout).toMatch(/^\S+\tuser\.created\t\S+\t\{"n":"published"\}\n$/);
      await publishing;
      expect(handled).toEqual([]);
      expect(await run("resume", "send_welcome")).toContain("Resumed send_welcome");
      await vi.waitFor(() => expect(handled).toHaveLength(4), 50_000);
      await app.stop();
      expect(handled).toEqual(expect.arrayContaining([{ n: "mended" }, { n: "published" }]));

      const doctor = await bin(["doctor", "--json"], { broker: uri });
      expect({ ...doctor, code: Math.min(doctor.code, 1) }).toEqual({
        code: expect.any(Number),
        stdout: expect.stringContaining('{"findings":'),
        stderr: "",
      });
      expect(await run("remove", "send_welcome", "--yes")).toBe("Removed send_welcome.\n");
      expect(await run("use-cases", "--json")).toBe('{"useCases":[]}\n');
    },
    STORY,
  );

  it("ends with 3 where no broker is", async () => {
    const { code, stdout, stderr } = await bin(["use-cases", "--json", "--broker", nowhere]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(documents(stderr)).toEqual([{ error: { code: "connection-failed", message: expect.any(String) } }]);
  });
});
