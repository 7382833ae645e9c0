import { Console } from "node:console";
import { PassThrough } from "node:stream";
import { pino } from "pino";
import { describe, expect, it, vi } from "vitest";
import { type Logger, PapaApp, useCase } from "../../src/index.ts";
import { eventLogger, guarded, LOG_METHODS } from "../../src/logging/logger.ts";
import { FakeTransport, started, turns } from "../support.ts";

/** Handles an event that writes a line, fails, and then becomes a dead letter. */
async function logging(logger: Logger) {
  const transport = new FakeTransport();
  const log = useCase("log", { on: "#", retries: 1 }, (_, ctx) => {
    ctx.logger.info({ step: 1 }, "handling");
    throw new Error("no");
  });
  await started(transport, [log], { logger });
  await transport.deliver("log", { name: "user.created", id: "17" });
  await turns();
  await transport.deliver("log", { name: "user.created", id: "17" }, { attempt: 2 });
  await turns();
}

/** A logger that notes its lines with their levels. */
function noting() {
  const lines: unknown[] = [];
  const at = (level: string) => (about: object, message?: string) => void lines.push([level, about, message]);
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { lines, logger };
}

describe("loggers", () => {
  it("pino fits as it is, ctx.logger is its child, and its serialiser shows the error", async () => {
    const stream = new PassThrough();
    await logging(pino({ base: null, timestamp: false }, stream));
    const lines = String(stream.read())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const about = { useCase: "log", eventName: "user.created", eventId: "17" };
    const err = { type: "Error", message: "no", stack: expect.stringContaining("logger.test.ts") };
    expect(lines).toEqual([
      { level: 30, ...about, step: 1, msg: "handling" },
      { level: 40, ...about, err, attempt: 1, delay: 10_000, msg: "A handler failed; the event is tried again." },
      { level: 30, ...about, step: 1, msg: "handling" },
      {
        level: 50,
        ...about,
        err,
        attempt: 2,
        deadLetterId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        msg: "An event became a dead letter.",
      },
    ]);
  });

  it("console fits as it is, and each line says what it is about", async () => {
    const stream = new PassThrough();
    await logging(new Console(stream));
    const text = String(stream.read());
    for (const part of ["eventName: 'user.created'", "step: 1", "handling", "A handler failed", "Error: no"])
      expect(text).toContain(part);
    expect(text).toContain("An event became a dead letter.");
  });

  it("L6 without one, warnings and errors go to the console, the first failure among them, and nothing else", async () => {
    const methods = (["debug", "info", "log", "warn", "error"] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    );
    try {
      const transport = new FakeTransport();
      const log = useCase("log", { on: "#", retries: 1 }, (_, ctx) => {
        ctx.logger.debug("fine");
        ctx.logger.info("fine");
        ctx.logger.warn({ step: 2 }, "careful");
        throw new Error("no");
      });
      const app = new PapaApp({ transport }).use(log);
      await app.start();
      await transport.deliver("log", { name: "a" });
      await turns();
      await transport.deliver("log", { name: "a" }, { attempt: 2 });
      await app.stop();
      const [debug, info, written, warn, error] = methods.map((method) => method.mock.calls);
      expect([debug, info, written]).toEqual([[], [], []]);
      const careful = ["careful", expect.objectContaining({ useCase: "log", eventName: "a", step: 2 })];
      expect(warn).toEqual([
        careful,
        ["A handler failed; the event is tried again.", expect.objectContaining({ err: new Error("no") })],
        careful,
      ]);
      expect(error).toEqual([
        ["An event became a dead letter.", expect.objectContaining({ useCase: "log", err: new Error("no") })],
      ]);
    } finally {
      for (const method of methods) method.mockRestore();
    }
  });
});

describe("ctx.logger", () => {
  it.each(LOG_METHODS)("%s takes a message with or without an object", (level) => {
    const { lines, logger } = noting();
    const forEvent = eventLogger(logger, { eventId: "1" });
    forEvent[level]("only text");
    forEvent[level]({ step: 1 }, "with an object");
    forEvent[level]({ step: 2 });
    expect(lines).toEqual([
      [level, { eventId: "1" }, "only text"],
      [level, { eventId: "1", step: 1 }, "with an object"],
      [level, { eventId: "1", step: 2 }, undefined],
    ]);
  });

  it("takes only text also where the logger has children", () => {
    const { lines, logger } = noting();
    const child = (bindings: object) => {
      lines.push(["child", bindings]);
      return logger;
    };
    eventLogger({ ...logger, child } as Logger, { eventId: "1" }).info("only text");
    expect(lines).toEqual([
      ["child", { eventId: "1" }],
      ["info", {}, "only text"],
    ]);
  });
});

describe("a logger that throws", () => {
  const full = () => {
    throw new Error("the disk is full");
  };
  const throwing: Logger = { debug: full, info: full, warn: full, error: full };

  it.each(LOG_METHODS)("does not throw from %s, guarded or in a handler's context", (level) => {
    expect(() => guarded(throwing)[level]({}, "x")).not.toThrow();
    expect(() => eventLogger(throwing, {})[level]("x")).not.toThrow();
  });

  it.each([
    ["at each line", throwing],
    ["when it makes a child", { ...throwing, child: full }],
    ["at each line of its child", { ...throwing, child: () => throwing }],
  ])("%s holds up no event and no stop()", async (_, logger) => {
    const transport = new FakeTransport();
    const seen: string[] = [];
    const log = useCase("log", { on: "#", retries: 0 }, (_payload, ctx) => {
      ctx.logger.info("handling");
      seen.push(ctx.eventName);
      throw new Error("no");
    });
    const app = await started(transport, [log], { logger, onDeadLetter: full });
    expect((await transport.deliver("log", { name: "a" })).kind).toBe("dead");
    expect((await transport.deliver("log", { name: "b" })).kind).toBe("dead");
    await app.stop();
    expect(seen).toEqual(["a", "b"]);
  });

  it("when it makes a child still gets its lines, with what they are about", () => {
    const { lines, logger } = noting();
    eventLogger({ ...logger, child: full } as Logger, { eventId: "1" }).info({ step: 1 }, "x");
    expect(lines).toEqual([["info", { eventId: "1", step: 1 }, "x"]]);
  });
});
