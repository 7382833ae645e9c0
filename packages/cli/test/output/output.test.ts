import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { Output } from "../../src/output/output.ts";
import { ProgressBar } from "../../src/output/progress-bar.ts";

describe("an output", () => {
  it("is written to no faster than it is read", async () => {
    const stream = new PassThrough({ highWaterMark: 10 });
    const output = new Output(stream);
    let written = false;
    const writing = output.line("more than ten characters").then(() => (written = true));
    await new Promise(setImmediate);
    expect(written).toBe(false);
    stream.resume();
    await writing;
  });

  it("that nobody reads any more is closed, and swallows the rest", async () => {
    const stream = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
    });
    const output = new Output(stream);
    await output.line("one");
    expect(output.closed.aborted).toBe(true);
    expect(output.failure).toBeUndefined();
    await output.line("two");
  });

  it("that cannot be written to says so", async () => {
    const full = new Error("ENOSPC: no space left on device, write");
    const output = new Output(new Writable({ write: (_chunk, _encoding, done) => done(full) }));
    await output.line("one");
    await new Promise(setImmediate);
    expect(output.failure).toBe(full);
  });
});

describe("a progress bar", () => {
  const bar = async (terminal: boolean) => {
    let written = "";
    const stream = new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        written += chunk;
        done();
      },
    });
    const output = new Output(Object.assign(stream, { isTTY: terminal }));
    const shown = new ProgressBar(output, (_style, text) => text, true);
    const started = performance.now();
    while (performance.now() - started < 150) shown.show({ seen: 5_000, total: 10_000, note: "4,000 redriven" });
    shown.end();
    return written;
  };

  it("is for terminals, and leaves nothing there", async () => {
    const written = await bar(true);
    expect(written).toContain("████████████░░░░░░░░░░░░ 5,000 of 10,000, 4,000 redriven, ");
    expect(written.endsWith("\r\u001b[2K")).toBe(true);
  });

  it("is not for files and pipes", async () => {
    expect(await bar(false)).toBe("");
  });
});
