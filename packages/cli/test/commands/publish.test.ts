import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory } from "@papa-events/transport-memory";
import { afterAll, describe, expect, it } from "vitest";
import { running, withDeadLetters } from "../support/broker.ts";
import { documents, papa } from "../support/papa.ts";

const folder = mkdtempSync(join(tmpdir(), "papa-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function listening() {
  const transport = memory();
  const payloads: unknown[] = [];
  await running(transport, "log", "user.#", (payload) => void payloads.push(payload));
  return { transport, payloads };
}

describe("publish", () => {
  it("takes JSON, a file, or standard input, and prints the id", async () => {
    const { transport, payloads } = await listening();
    const path = join(folder, "payload.json");
    writeFileSync(path, '\ufeff{ "from": "file" }\n');
    const { stdout, code } = await papa(["publish", "user.created", '{"from":"argument"}', "--json"], { transport });
    expect(code).toBe(0);
    expect(documents(stdout)).toEqual([{ id: expect.any(String) }]);
    await papa(["publish", "user.created", `@${path}`], { transport });
    await papa(["publish", "user.created", "-"], { transport, stdin: '{"from":"stdin"}' });
    await papa(["publish", "user.created", "-5"], { transport });
    await transport.settled();
    expect(payloads).toEqual([{ from: "argument" }, { from: "file" }, { from: "stdin" }, -5]);
  });

  it("has headers and an id of one's own", async () => {
    const { transport } = await listening();
    const { stdout } = await papa(["publish", "user.created", "{}", "-H", "a=b=c", "--id", "mine"], { transport });
    expect(stdout).toBe("mine\n");
    expect(await papa(["publish", "user.created", "{}", "-H", "ce_id=x"], { transport })).toMatchObject({ code: 2 });
    expect(await papa(["publish", "user.created", "{}", "-H", "novalue"], { transport })).toMatchObject({ code: 2 });
  });

  it("warns where no use case wants the event", async () => {
    const { transport } = await listening();
    expect((await papa(["publish", "usr.created", "{}"], { transport })).stderr).toContain("usr.created");
    expect((await papa(["publish", "usr.created", "{}", "--json"], { transport })).stderr).toBe("");
  });

  it.each([
    ["no payload", ["user.created"]],
    ["a payload that is not JSON", ["user.created", "carlos"]],
    ["a file that is not there", ["user.created", "@/nowhere/at/all.json"]],
    ["a pattern", ["user.*", "{}"]],
    ["--many with a header", ["--many", "-H", "a=b"]],
    ["--many with an event", ["user.created", "--many"]],
  ])("refuses %s", async (_what, args) => {
    expect(await papa(["publish", ...args], { transport: memory() })).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("publish --many", () => {
  it("publishes the lines of a file or of standard input in their order", async () => {
    const { transport, payloads } = await listening();
    const lines = Array.from({ length: 600 }, (_, n) =>
      JSON.stringify({ name: "user.created", payload: n, headers: { n: `${n}` } }),
    );
    const { code, stdout } = await papa(["publish", "--many", "--json"], { transport, stdin: lines.join("\n") });
    expect(code).toBe(0);
    expect(documents(stdout)).toHaveLength(600);
    const path = join(folder, "events.jsonl");
    writeFileSync(path, '{"name":"user.created","payload":600,"id":"mine"}\n');
    expect((await papa(["publish", "--many", `@${path}`], { transport })).stdout).toBe("mine\n");
    await transport.settled();
    expect(payloads).toEqual(Array.from({ length: 601 }, (_, n) => n));
  });

  it("takes lines of papa dlq export: the same event, with its id and its publisher's headers", async () => {
    const transport = await withDeadLetters([{ n: 1 }]);
    const stdin = (await papa(["dlq", "export", "send_welcome"], { transport })).stdout;
    const [item] = documents(stdin) as { eventId: string; headers: Record<string, string> }[];
    const headers = { ...item?.headers, tenant: "a", exception: "text", "x-death": "text" };
    const line = JSON.stringify({ ...item, headers });
    await papa(["dlq", "purge", "send_welcome", "--all", "--yes"], { transport });
    const seen: unknown[] = [];
    await running(transport, "log", "user.#", (payload, context) => void seen.push({ payload, ...context.headers }));
    const { code, stdout } = await papa(["publish", "--many"], { transport, stdin: `${line}\n` });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${item?.eventId}\n` });
    await transport.settled();
    expect(seen).toEqual([{ payload: { n: 1 }, tenant: "a" }]);
  });

  it.each([
    ["what is not JSON", '{"name":'],
    ["an event without a name", '{"payload":1}'],
    ["an event without a payload", '{"name":"user.created"}'],
    ["headers that are no strings", '{"name":"user.created","payload":1,"headers":{"a":1}}'],
    ["an unknown member", '{"name":"user.created","payload":1,"topic":"x"}'],
  ])("sends nothing where a line is %s", async (_what, line) => {
    const { transport, payloads } = await listening();
    const stdin = `{"name":"user.created","payload":0}\n${line}\n`;
    const { code, stderr } = await papa(["publish", "--many"], { transport, stdin });
    expect(code).toBe(2);
    expect(stderr).toContain("Line 2: ");
    await transport.settled();
    expect(payloads).toEqual([]);
  });

  it("goes on when nobody reads the ids any more, and fails as ever", async () => {
    const { transport, payloads } = await listening();
    const stdin = '{"name":"user.created","payload":0}\n'.repeat(1_100);
    const failing = "EPIPE";
    const { code, stderr } = await papa(["publish", "--many"], { transport, stdin, failing });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const spoilt = await papa(["publish", "--many"], {
      transport,
      stdin: `${stdin}{"name":"a b","payload":0}`,
      failing,
    });
    expect(spoilt).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("1,000 events before them were published"),
    });
    await transport.settled();
    expect(payloads).toHaveLength(2_100);
  });

  it("says how far it came where an event cannot be published", async () => {
    const { transport, payloads } = await listening();
    const good = '{"name":"user.created","payload":0}\n'.repeat(600);
    const { code, stderr } = await papa(["publish", "--many"], {
      transport,
      stdin: `${good}{"name":"user.*","payload":0}`,
    });
    expect(code).toBe(2);
    expect(stderr).toContain('"user.*" is not a valid event name');
    expect(stderr).toContain("Of lines 501 to 601 none was sent; 500 events before them were published.");
    await transport.settled();
    expect(payloads).toHaveLength(500);
  });
});
