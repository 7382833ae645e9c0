import { describe, expect, it } from "vitest";
import { decodePayload, encodePayload } from "../../src/wire/payload.ts";
import { thrownBy } from "../support.ts";

const decode = (...parts: (string | number[])[]) =>
  decodePayload({
    body: Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part)))),
  });

describe("H5 a body that is no JSON in UTF-8", () => {
  it.each([
    ["an empty body", ""],
    ["a word", "undefined"],
    ["NaN, which the original publishes", "NaN"],
    ["half an object", '{"a": 1'],
    ["two values", "1 2"],
    ["a byte order mark", "\ufeff{}"],
    ["single quotes", "{'a': 1}"],
  ])("%s is told", (_, text) => {
    expect(decode(text)).toEqual({ problem: expect.stringMatching(/^the body is not JSON: /) });
  });

  it.each([
    ["a byte that begins nothing", ['"', [0xff], '"']],
    ["a character cut short", ['"', [0xe2, 0x82], '"']],
    ["a lone surrogate", ['"', [0xed, 0xa0, 0x80], '"']],
    ["an overlong slash", ['"', [0xc0, 0xaf], '"']],
    ["beyond Unicode", ['"', [0xf4, 0x90, 0x80, 0x80], '"']],
  ] as [string, (string | number[])[]][])("%s is told", (_, parts) => {
    expect(decode(...parts)).toEqual({ problem: "the body is not UTF-8" });
  });

  it("UTF-16 is told", () => {
    expect(decodePayload({ body: Buffer.from('{"a":1}', "utf16le") })).toHaveProperty("problem");
  });

  it.each([
    ["the replacement character itself", '"\ufffd"', "\ufffd"],
    ["an escaped lone surrogate", '"\\ud800"', "\ud800"],
    ["null", "null", null],
    ["white space around", " \r\n\t1 ", 1],
    ["a large number, as near as JavaScript has it", "9007199254740993", 9_007_199_254_740_992],
  ])("%s is JSON", (_, text, payload) => {
    expect(decode(text)).toEqual({ payload });
  });

  it.each([
    '{"__proto__": {"admin": true}}',
    '{"\\u005f_proto__": 1}',
    '{"\\u005F\\u005fproto\\u005f\\u005f": 1}',
    '{"__pr\\u006fto__": 1}',
    '[{"a": {"__proto__": null}}]',
    '{"__proto__": 1, "__proto__": 2}',
  ])("%s has a key that would change prototypes", (text) => {
    expect(decode(text)).toEqual({ problem: 'the body has a key called "__proto__"' });
  });

  it.each(['{"a": "__proto__"}', '["\\u005f_proto__"]', '{"x__proto__": 1, "\\u0041": 2}'])("%s has none", (text) => {
    expect(decode(text)).toEqual({ payload: JSON.parse(text) as unknown });
  });

  it("however deep: it is parsed or told, never thrown", () => {
    for (const deep of [10_000, 500_000]) {
      const text = `${"[".repeat(deep)}${"]".repeat(deep)}`;
      expect(Object.keys(decode(text))).toHaveLength(1);
      // An escape has each key looked at.
      expect(Object.keys(decode(`{"\\u0041": ${text}}`))).toHaveLength(1);
    }
  });

  it("bytes that are a part of a larger buffer are read alone", () => {
    expect(decodePayload({ body: new Uint8Array(Buffer.from("xx[1]xx")).subarray(2, 5) })).toEqual({ payload: [1] });
  });
});

describe("P4 the bytes of a payload", () => {
  it("are counted as UTF-8", () => {
    expect(encodePayload("a", "ñ", 4)).toBe('"ñ"');
    expect(() => encodePayload("a", "ñ", 3)).toThrow('The payload of "a" has 4 bytes of JSON, and 3 are allowed');
    expect(() => encodePayload("a", "xxxx", 3)).toThrow('The payload of "a" has 6 bytes of JSON, and 3 are allowed');
  });

  it("a text that speaks of __proto__ is no key", () => {
    expect(encodePayload("a", { text: "__proto__" }, 100)).toBe('{"text":"__proto__"}');
  });

  it("what is too deep for JSON is told", () => {
    let deep: unknown = { text: "__proto__" };
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    let thrown: unknown;
    try {
      encodePayload("a", deep, 1_000_000);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "payload-not-json" });
  });
});

describe("P4 what JSON cannot carry", () => {
  const refusal = (payload: unknown) => thrownBy(() => encodePayload("a", payload, 1_000));
  const circle: unknown[] = [];
  circle.push(circle);

  it.each<[string, unknown, string]>([
    ["nothing", undefined, "undefined has no JSON; null has"],
    ["a function", () => {}, "a function has no JSON; null has"],
    ["a symbol", Symbol("s"), "a symbol has no JSON; null has"],
    ["a toJSON that gives nothing", { toJSON: () => undefined }, "what its toJSON() gives has no JSON; null has"],
    ["a bigint", { n: 1n }, "Do not know how to serialize a BigInt"],
    ["a circle", circle, "Converting circular structure to JSON"],
    [
      "a key that changes prototypes",
      JSON.parse('{"a": {"__proto__": 1}}'),
      'a key is called "__proto__", which receivers refuse',
    ],
    ["a Map", new Map([["a", 1]]), "a Map at payload has no JSON; make an array or an object of it"],
    [
      "a Set in it",
      { user: { roles: new Set(["admin"]) } },
      "a Set at payload.user.roles has no JSON; make an array or an object of it",
    ],
    ["an Error", { why: new Error("no") }, "an Error at payload.why has no JSON; make an array or an object of it"],
    ["a Map in a list", [1, { by: new Map() }], "a Map at payload.1.by has no JSON; make an array or an object of it"],
    [
      "a promise that was not awaited",
      { user: Promise.resolve(1) },
      "a Promise at payload.user has no JSON; make an array or an object of it",
    ],
    [
      "a regular expression",
      { pattern: /a/ },
      "a RegExp at payload.pattern has no JSON; make an array or an object of it",
    ],
  ])("%s is a typed error", (_, payload, problem) => {
    expect(refusal(payload)).toMatchObject({
      code: "payload-not-json",
      message: `The payload of "a" cannot be written as JSON: ${problem}.`,
      details: { eventName: "a", problem },
    });
  });

  it.each<[string, unknown]>([
    ["empty objects and lists", { a: {}, b: [{}], c: [] }],
    ["a Date, which says itself what it is", { at: new Date(0), empty: {} }],
    ["a Map that says itself what it is", Object.assign(new Map(), { toJSON: () => ({}) })],
    ["an object of a class", new (class User {})()],
    ["an object without a prototype", Object.assign(Object.create(null), { empty: {} })],
    ["a text that looks like one", { text: "{}" }],
  ])("%s passes", (_, payload) => {
    expect(encodePayload("a", payload, 1_000)).toBe(JSON.stringify(payload));
  });

  it.each<[string, unknown]>([
    ["an error", new Error("lazy loading failed")],
    ["a text", "no"],
    ["nothing", undefined],
    ["an object without a text", Object.create(null)],
    ["a revoked proxy", revoked()],
  ])("a getter or toJSON that throws %s is a typed error too", (_, thrown) => {
    const toJSON = () => {
      throw thrown;
    };
    expect(refusal({ user: { toJSON } })).toMatchObject({ code: "payload-not-json" });
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
