import { Console } from "node:console";
import { PassThrough } from "node:stream";
import { pino } from "pino";
import { describe, expect, it, vi } from "vitest";
import { type Logger, PapaApp, useCase } from "../../src/index.ts";
import { FakeTransport, started } from "../support.ts";

/** Handles one event that writes a line, and one that becomes a dead letter. */
async function logging(logger: Logger) {
  const transport = new FakeTransport();
  const log = useCase("log", { on: "#", retries: 0 }, (_, ctx) => {
    ctx.logger.info({ step: 1 }, "handling");
    throw new Error("no");
  });
  await started(transport, [log], { logger });
  await transport.deliver("log", { name: "user.created", id: "17" });
}

describe("loggers", () => {
  it("pino fits as it is, and ctx.logger is its child", async () => {
    const stream = new PassThrough();
    await logging(pino({ base: null, timestamp: false }, stream));
    const lines = String(stream.read())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const about = { useCase: "log", eventName: "user.created", eventId: "17" };
    expect(lines[0]).toEqual({ level: 30, ...about, step: 1, msg: "handling" });
    expect(lines.at(-1)).toMatchObject({ level: 50, ...about, attempt: 1, msg: "An event became a dead letter." });
  });

  it("console fits as it is, and each line says what it is about", async () => {
    const stream = new PassThrough();
    await logging(new Console(stream));
    const text = String(stream.read());
    expect(text).toContain("eventName: 'user.created'");
    expect(text).toContain("step: 1");
    expect(text).toContain("handling");
    expect(text).toContain("An event became a dead letter.");
  });

  it("without one, warnings and errors go to the console, and nothing else", async () => {
    const methods = (["debug", "info", "log", "warn", "error"] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    );
    try {
      const transport = new FakeTransport();
      const log = useCase("log", { on: "#", retries: 0 }, (_, ctx) => {
        ctx.logger.debug({}, "fine");
        ctx.logger.info({}, "fine");
        ctx.logger.warn({ step: 2 }, "careful");
        throw new Error("no");
      });
      const app = new PapaApp({ transport }).use(log);
      await app.start();
      await transport.deliver("log", { name: "a" });
      await app.stop();
      const [debug, info, written, warn, error] = methods.map((method) => method.mock.calls);
      expect([debug, info, written]).toEqual([[], [], []]);
      expect(warn).toEqual([["careful", expect.objectContaining({ useCase: "log", eventName: "a", step: 2 })]]);
      expect(error).toEqual([["An event became a dead letter.", expect.objectContaining({ useCase: "log" })]]);
    } finally {
      for (const method of methods) method.mockRestore();
    }
  });
});
