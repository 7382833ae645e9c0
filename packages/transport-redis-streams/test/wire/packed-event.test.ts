import { expect, test } from "vitest";
import { PackedEvent, pack } from "../../src/wire/packed-event.ts";

const bytes = (packed: string | Buffer) => Buffer.from(packed);

const STANDARD = {
  ce_specversion: "1.0",
  ce_id: "1",
  ce_type: "user.created",
  ce_source: "/users",
  ce_time: "2026-01-02T03:04:05.678Z",
  "content-type": "application/json",
};
const body = Buffer.from('{"a":"☃"}');

test("an event is stored as its grammar says, byte by byte", () => {
  const stored = (headers: Record<string, string>) => pack({ name: "user.created", id: "1", time: 0, headers, body });
  const standard = "1\t2026-01-02T03:04:05.678Z\t/users";
  expect(stored(STANDARD)).toBe(`1 user.created\n${standard}\n{"a":"☃"}`);
  expect(stored({ ...STANDARD, papa_attempt: "3", note: "line\nbreak\t☃" })).toBe(
    `3 user.created\n${standard}\t{"papa_attempt":"3","note":"line\\nbreak\\t☃"}\n{"a":"☃"}`,
  );
  expect(stored({ ce_id: "1" })).toBe('1 user.created\n{"ce_id":"1"}\n{"a":"☃"}');
});

const { ce_time: _, ...timeless } = STANDARD;

test.each([
  ["standard ones", STANDARD],
  ["others", { ...STANDARD, papa_attempt: "3", note: "line\nbreak\t☃", "": "" }],
  ["none", {}],
  ["a standard one missing", timeless],
  ["another content type", { ...STANDARD, "content-type": "application/json; charset=utf-8" }],
  ["another version of CloudEvents", { ...STANDARD, ce_specversion: "1.1" }],
  ["a type that is not the name", { ...STANDARD, ce_type: "user.deleted" }],
  ["an id that begins like an object", { ...STANDARD, ce_id: '{"a":1}' }],
  ["an empty id", { ...STANDARD, ce_id: "" }],
  ["separators in the values", { ...STANDARD, ce_id: "a\tb", ce_source: "c\nd" }],
])("headers come back as they were: %s", (_title, headers: Record<string, string>) => {
  const read = new PackedEvent(bytes(pack({ name: "user.created", id: "1", time: 0, headers, body })));
  expect([read.name, read.headers, read.body]).toEqual(["user.created", headers, body]);
});

test("L5 headers of other types than text come back as they were, in place of what stands for them", () => {
  const rawHeaders = { bytes: Buffer.from([0xff, 0]), twice: ["a", Buffer.from([0xfe])] };
  const headers = { ...STANDARD, twice: "a" };
  const packed = bytes(pack({ name: "user.created", id: "1", time: 0, headers, rawHeaders, body }));
  const json = JSON.stringify({ ...headers, twice: ["a", { base64: "/g==" }], bytes: { base64: "/wA=" } });
  expect(packed.toString()).toBe(`1 user.created\n${json}\n{"a":"☃"}`);
  expect(new PackedEvent(packed).headers).toEqual({ ...STANDARD, ...rawHeaders });
});

test("a body of any bytes, empty or with line breaks, comes back as it was", () => {
  for (const body of [
    Buffer.alloc(0),
    Buffer.from("\ufffd"),
    Buffer.from("\n\n"),
    Buffer.from([0xff, 0x0a, 0xfe, 0x00]),
    Buffer.from("12"),
  ]) {
    const read = new PackedEvent(bytes(pack({ name: "x", id: "1", time: 0, headers: { papa_attempt: "12" }, body })));
    expect([read.attempt, read.body]).toEqual([12, body]);
  }
});

test("L5 what this library has not written is a body without a name", () => {
  for (const text of ["", "x", "1 a", "no\nheaders", "1 x\n{not json\nbody", "0 \n[]\nbody", "1 x\na\tb\nbody"]) {
    const read = new PackedEvent(Buffer.from(text));
    expect(read.attempt).toBe(1);
    expect(read.headers).toEqual({});
  }
  expect(new PackedEvent(Buffer.from("no\nheaders")).body.toString()).toBe("no\nheaders");
});

test("H9 it tells how large its headers are without reading them", () => {
  const { headerBytes } = new PackedEvent(Buffer.from(`1 a.b\n${JSON.stringify({ big: "x".repeat(50_000) })}\n{}`));
  expect(headerBytes).toBeGreaterThan(50_000);
  expect(headerBytes).toBeLessThan(50_100);
});
