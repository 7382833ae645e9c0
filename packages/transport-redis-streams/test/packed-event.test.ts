import { expect, test } from "vitest";
import { PackedEvent, pack } from "../src/packed-event.ts";

const bytes = (packed: string | Buffer) => Buffer.from(packed);

test("an event is stored as its grammar says, byte by byte", () => {
  const event = {
    name: "user.created",
    id: "1",
    time: 0,
    headers: { ce_id: "1", ce_type: "user.created", papa_attempt: "3", note: "line\nbreak ☃" },
    body: Buffer.from('{"a":"☃"}'),
  };
  const packed = pack(event);
  expect(packed).toBe(
    '3 user.created\n{"ce_id":"1","ce_type":"user.created","papa_attempt":"3","note":"line\\nbreak ☃"}\n{"a":"☃"}',
  );
  const read = new PackedEvent(bytes(packed));
  expect([read.attempt, read.name, read.headers, read.body]).toEqual([3, "user.created", event.headers, event.body]);
});

test("a body of any bytes, empty or with line breaks, comes back as it was", () => {
  for (const body of [Buffer.alloc(0), Buffer.from("\n\n"), Buffer.from([0xff, 0x0a, 0xfe, 0x00]), Buffer.from("12")]) {
    const read = new PackedEvent(bytes(pack({ name: "x", id: "1", time: 0, headers: { papa_attempt: "12" }, body })));
    expect([read.attempt, read.body]).toEqual([12, body]);
  }
});

test("L5 what this library has not written is a body without a name", () => {
  for (const text of ["", "x", "1 a", "no\nheaders", "1 x\n{not json\nbody", "0 \n[]\nbody"]) {
    const read = new PackedEvent(Buffer.from(text));
    expect(read.attempt).toBe(1);
    expect(read.headers).toEqual({});
  }
  expect(new PackedEvent(Buffer.from("no\nheaders")).body.toString()).toBe("no\nheaders");
});
