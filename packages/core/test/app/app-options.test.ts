import { describe, expect, it } from "vitest";
import { PapaApp, type PapaAppOptions } from "../../src/index.ts";
import { FakeTransport, thrownBy } from "../support.ts";

const transport = new FakeTransport();
const app = (options: object) => () => new PapaApp({ transport, ...options } as PapaAppOptions);

/** What, where, what to do: in one line. */
function refusal(call: () => unknown): { code: string; message: string; option: string } {
  const { code, message, details } = thrownBy(call) as { code: string; message: string; details: { option: string } };
  return { code, message, option: details.option };
}

describe("the options of an app", () => {
  it.each([
    {},
    { name: "Facturación ñ", concurrency: 1, retries: 0, retryDelay: 0, publishTimeout: 0, drainTimeout: "0s" },
    { maxPayloadBytes: 1, validatePublished: false, declarationGrace: "1s", logger: console, wrap: [] },
    { maxHeldBytes: 8_000_000_000, crashLimit: 1, unwanted: "refuse", waitForBroker: "60s" },
    {
      name: undefined,
      events: undefined,
      retries: undefined,
      wrap: undefined,
      container: undefined,
      onRetry: undefined,
    },
  ])("may be %o", (options) => {
    expect(app(options)).not.toThrow();
  });

  it.each<[unknown, string]>([
    [undefined, "a transport is needed, such as memory() or amqp(uri)"],
    [{}, "a transport is needed, such as memory() or amqp(uri)"],
    ["amqp://localhost", "a transport is needed, such as memory() or amqp(uri), or transportFromUri(url) for a URL"],
  ])("the transport %j is refused", (given, problem) => {
    expect(refusal(app({ transport: given }))).toEqual({
      code: "invalid-option",
      option: "PapaApp: transport",
      message: `PapaApp: transport: ${problem}.`,
    });
  });

  it.each<[string, unknown, string]>([
    ["name", "", "a string of 1 to 100 characters is needed"],
    ["name", "x".repeat(101), "a string of 1 to 100 characters is needed"],
    ["name", "a\nb", "a string of 1 to 100 characters is needed"],
    ["name", 7, "a string of 1 to 100 characters is needed"],
    ["concurrency", 0, "0 is not a whole number from 1 to 1000000000"],
    ["concurrency", 1.5, "1.5 is not a whole number from 1 to 1000000000"],
    ["concurrency", "20", 'the string "20" is not a whole number from 1 to 1000000000'],
    ["concurrency", null, "null is not a whole number from 1 to 1000000000"],
    ["concurrency", Number.POSITIVE_INFINITY, "Infinity is not a whole number from 1 to 1000000000"],
    ["retries", -1, "-1 is not a whole number from 0 to 1000000000"],
    [
      "retryDelay",
      "soon",
      'the string "soon" is not a valid duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days',
    ],
    [
      "publishTimeout",
      -1,
      '-1 is not a valid duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days',
    ],
    [
      "drainTimeout",
      "1d",
      'the string "1d" is not a valid duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days',
    ],
    ["maxPayloadBytes", 0, "0 is not a whole number from 1 to 1000000000"],
    ["maxHeldBytes", 0, "0 is not a whole number from 1 to 9007199254740991"],
    ["crashLimit", 0, "0 is not a whole number from 1 to 1000000000"],
    ["unwanted", "ignore", 'the string "ignore" is none of "warn", "refuse" and "accept"'],
    [
      "waitForBroker",
      true,
      'true is not a valid duration; give milliseconds or "250ms", "10s", "5m", "2h", from 0 to 24 days',
    ],
    ["validatePublished", "false", "it is of type string, and true or false is needed"],
    ["declarationGrace", 0, '0 ms is too short; give at least "1s"'],
    ["declarationGrace", "999ms", '999 ms is too short; give at least "1s"'],
    ["logger", null, 'it has no method "debug"; console and pino loggers fit'],
    ["logger", { debug() {}, info() {}, error() {} }, 'it has no method "warn"; console and pino loggers fit'],
    ["logger", "console", 'it has no method "debug"; console and pino loggers fit'],
    ["container", {}, "a tsyringe container is needed, such as container.createChildContainer()"],
    ["wrap", {}, "a function (ctx, next) or a list of them is needed"],
    ["wrap", [undefined], "a function (ctx, next) or a list of them is needed"],
    ["onRetry", {}, "it is of type object, and a function is needed"],
    ["onDeadLetter", "log", "it is of type string, and a function is needed"],
  ])("%s: %j is refused", (name, value, problem) => {
    expect(refusal(app({ [name]: value }))).toEqual({
      code: "invalid-option",
      option: `PapaApp: ${name}`,
      message: `PapaApp: ${name}: ${problem}.`,
    });
  });

  it.each<[string, string]>([
    ["retires", 'the nearest known one is "retries"'],
    ["Concurrency", 'the nearest known one is "concurrency"'],
    ["ondeadletter", 'the nearest known one is "onDeadLetter"'],
    [
      "broker",
      "there are transport, name, events, concurrency, retries, retryDelay, publishTimeout, drainTimeout, maxPayloadBytes, validatePublished, maxHeldBytes, crashLimit, unwanted, waitForBroker, declarationGrace, logger, container, wrap, onRetry, onDeadLetter",
    ],
  ])("an unknown one, %s, names the nearest known one, or all there are", (name, hint) => {
    expect(refusal(app({ [name]: 3 }))).toEqual({
      code: "invalid-option",
      option: "PapaApp",
      message: `PapaApp: unknown option "${name}"; ${hint}.`,
    });
  });

  it.each([undefined, null, "memory:"])("%j are no options", (options) => {
    expect(refusal(() => new PapaApp(options as never)).message).toContain(
      "PapaApp: options are an object with transport,",
    );
  });
});
