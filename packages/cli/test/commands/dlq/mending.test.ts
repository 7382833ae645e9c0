import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { running, withDeadLetters } from "../../support/broker.ts";
import { documents, papa } from "../../support/papa.ts";

const folder = mkdtempSync(join(tmpdir(), "papa-test-"));
const { TMPDIR } = process.env;
process.env.TMPDIR = join(folder, "tmp");
mkdirSync(process.env.TMPDIR);
afterAll(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  rmSync(folder, { recursive: true });
});

type Transport = Awaited<ReturnType<typeof withDeadLetters>>;

async function exported(transport: Transport): Promise<Record<string, unknown>[]> {
  const { stdout } = await papa(["dlq", "export", "send_welcome"], { transport });
  return documents(stdout) as Record<string, unknown>[];
}

function fileOf(items: readonly unknown[]): string {
  const path = join(folder, `${Math.random()}.jsonl`);
  writeFileSync(path, items.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join("\n"));
  return path;
}

/** What the use case gets once it runs again. */
async function handled(transport: Transport): Promise<unknown[]> {
  const payloads: unknown[] = [];
  await running(transport, "send_welcome", "user.#", (payload) => void payloads.push(payload));
  await transport.settled();
  return payloads;
}

describe("dlq redrive --from", () => {
  const redrive = (transport: Transport, path: string, ...args: string[]) =>
    papa(["dlq", "redrive", "send_welcome", "--from", path, ...args], { transport });

  it("D4 sends the dead letters of the file back with its payloads", async () => {
    const transport = await withDeadLetters([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const [one, two] = await exported(transport);
    const path = fileOf([{ ...one, payload: { n: "mended" } }, "", two]);
    expect(await redrive(transport, path, "--json")).toEqual({ code: 0, stdout: '{"redriven":2}\n', stderr: "" });
    expect(await handled(transport)).toEqual([{ n: "mended" }, { n: 2 }]);
    expect(await exported(transport)).toMatchObject([{ payload: { n: 3 } }]);
  });

  it("marks as mended only what was", async () => {
    const transport = await withDeadLetters([{ n: 1 }, { n: 2 }]);
    const [one, two] = await exported(transport);
    await redrive(transport, fileOf([{ ...one, payload: { n: 0 } }, two]));
    await withDeadLetters([], { transport });
    await running(transport, "send_welcome", "user.#", () => {
      throw new Error("again");
    });
    await transport.settled();
    const mended = (await exported(transport)).map((item) => "papa_mended" in (item.headers as object));
    expect(mended).toEqual([true, false]);
  });

  it("takes a pipe on standard input", async () => {
    const transport = await withDeadLetters([{ n: 1 }]);
    const stdin = (await exported(transport)).map((item) => `${JSON.stringify({ ...item, payload: 9 })}\n`).join("");
    const { stdout } = await papa(["dlq", "redrive", "send_welcome", "--from", "-"], { transport, stdin });
    expect(stdout).toBe("1 dead letter of send_welcome redriven.\n");
    expect(await handled(transport)).toEqual([9]);
  });

  it.each([
    ["that is not JSON", (item: object) => `${JSON.stringify(item).slice(0, -5)}`],
    ["without an id", (item: object) => ({ ...item, id: undefined })],
    ["of another use case", (item: object) => ({ ...item, useCase: "bill" })],
    [
      "with a key that receivers refuse",
      (item: object) => JSON.stringify(item).replace('"payload":{', '"payload":{"__proto__":1,'),
    ],
  ])("sends nothing where a line is one %s, and names the line", async (_what, spoil) => {
    const transport = await withDeadLetters([{ n: 1 }, { n: 2 }]);
    const [one = {}, two = {}] = await exported(transport);
    const { code, stdout, stderr } = await redrive(transport, fileOf([one, spoil(two)]));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^papa: Line 2: /);
    expect(await exported(transport)).toHaveLength(2);
  });

  it("refuses a dead letter that the file has twice, an empty file, and one that is not there", async () => {
    const transport = await withDeadLetters([{ n: 1 }]);
    const [one] = await exported(transport);
    expect((await redrive(transport, fileOf([one, one]))).stderr).toContain("Line 2: ");
    expect(await redrive(transport, fileOf([""]))).toMatchObject({ code: 2 });
    expect(await redrive(transport, join(folder, "nowhere"))).toMatchObject({ code: 2 });
    expect(await redrive(transport, fileOf([one]), "--all")).toMatchObject({ code: 2 });
    expect(await exported(transport)).toHaveLength(1);
  });

  it("tells how many are gone, and does the others; run again it finds none", async () => {
    const transport = await withDeadLetters([{ n: 1 }, { n: 2 }]);
    const items = await exported(transport);
    await papa(["dlq", "purge", "send_welcome", `${items[0]?.id}`, "--yes"], { transport });
    const path = fileOf(items);
    expect(documents((await redrive(transport, path, "--dry-run", "--json")).stdout)).toEqual([
      { redriven: 0, found: 1 },
    ]);
    const gone = /^1 dead letter of the file is gone, redriven or purged before: line 1\. .*papa publish --many/;
    expect((await redrive(transport, path, "--dry-run")).stderr).toMatch(gone);
    const { code, stdout, stderr } = await redrive(transport, path);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "1 dead letter of send_welcome redriven.\n" });
    expect(stderr).toMatch(gone);
    const again = await redrive(transport, path);
    expect(again).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("papa publish --many") });
  });

  it("tells programs how many are gone", async () => {
    const transport = await withDeadLetters([{ n: 1 }, { n: 2 }]);
    const [one, two] = await exported(transport);
    const path = fileOf([one, { ...two, id: "never" }]);
    expect((await redrive(transport, path, "--json")).stdout).toBe('{"redriven":1,"gone":1}\n');
  });
});

describe("dlq redrive --edit", () => {
  /** An editor that is a script; `$1` is the file. */
  function editor(script: string): string {
    const path = join(folder, `editor-${Math.random()}`);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  async function edited(script: string, options: { typed?: string; signal?: AbortSignal } = {}) {
    const transport = await withDeadLetters([{ n: 1 }]);
    const [item] = await exported(transport);
    const env = { EDITOR: `${editor(script)} --wait`, NO_COLOR: "1" };
    const terminal = options.typed !== undefined;
    const ran = await papa(["dlq", "redrive", "send_welcome", `${item?.id}`, "--edit"], {
      transport,
      env,
      terminal,
      ...options,
    });
    return { ...ran, transport };
  }

  it("opens the payload in $EDITOR, in a private file, and sends back what it leaves", async () => {
    const seen = join(folder, "seen");
    const { code, stdout, transport } = await edited(`cp "$2" ${seen}; ls -l "$2" >> ${seen}; echo '{"n":2}' > "$2"`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "1 dead letter of send_welcome redriven.\n" });
    const [payload = "", file = ""] = readFileSync(seen, "utf8").split(/(?=-rw)/);
    expect(payload).toBe('{\n  "n": 1\n}\n');
    expect(file).toMatch(/^-rw------- /);
    expect(existsSync(file.trim().split(" ").at(-1) ?? "")).toBe(false);
    expect(await handled(transport)).toEqual([{ n: 2 }]);
  });

  it("sends nothing where nothing was changed, where the editor failed, and where there is none", async () => {
    const unchanged = await edited("exit 0");
    expect(unchanged).toMatchObject({ code: 1, stderr: expect.stringContaining("unchanged") });
    const failed = await edited("exit 3");
    expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining("ended with 3") });
    const { transport } = failed;
    const id = `${(await exported(transport))[0]?.id}`;
    expect(await papa(["dlq", "redrive", "send_welcome", id, "--edit"], { transport })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("EDITOR"),
    });
    for (const each of [unchanged, failed]) expect(await exported(each.transport)).toHaveLength(1);
  });

  it("keeps what was edited where it is not JSON", async () => {
    const { code, stderr, transport } = await edited(`echo '{"n":' > "$2"`);
    expect(code).toBe(2);
    const [, path = ""] = /it is in (\S+)/.exec(stderr) ?? [];
    expect(readFileSync(path, "utf8")).toBe('{"n":\n');
    rmSync(join(path, ".."), { recursive: true });
    expect(await exported(transport)).toHaveLength(1);
  });

  it("sends nothing that was edited when Ctrl-C had ended it, and keeps it", async () => {
    const [opened, ended] = [join(folder, "opened"), join(folder, "ended")];
    const ending = new AbortController();
    const script = `touch ${opened}; until [ -e ${ended} ]; do sleep 0.02; done; echo '{"n":2}' > "$2"`;
    const running = edited(script, { signal: ending.signal });
    await vi.waitUntil(() => existsSync(opened), 20_000);
    ending.abort();
    writeFileSync(ended, "");
    const { code, stdout, stderr, transport } = await running;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    const [, path = ""] = /is in (\S+)/.exec(stderr) ?? [];
    expect(readFileSync(path, "utf8")).toBe('{"n":2}\n');
    rmSync(join(path, ".."), { recursive: true });
    expect(await exported(transport)).toHaveLength(1);
  });

  it("lets somebody at a terminal edit it again", async () => {
    const once = join(folder, "once");
    const script = `if [ -e ${once} ]; then echo '{"n":2}' > "$2"; else touch ${once}; echo '{"n":' > "$2"; fi`;
    const { code, transport } = await edited(script, { typed: "y" });
    expect(code).toBe(0);
    expect(await handled(transport)).toEqual([{ n: 2 }]);
  });

  it("is for one dead letter", async () => {
    const transport = await withDeadLetters([{ n: 1 }]);
    const env = { EDITOR: "false" };
    for (const args of [["a", "b"], ["--all"], []])
      expect(await papa(["dlq", "redrive", "send_welcome", ...args, "--edit"], { transport, env })).toMatchObject({
        code: 2,
      });
    expect(await papa(["dlq", "redrive", "send_welcome", "gone", "--edit"], { transport, env })).toMatchObject({
      code: 1,
    });
  });
});

it("nothing is left in the temporary folder", () => {
  expect(readdirSync(join(folder, "tmp"))).toEqual([]);
});
