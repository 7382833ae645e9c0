import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodedEvent } from "../../src/transport.ts";
import { encodeDeadLetter, reviveDeadLetter } from "../../src/wire/dead-letter.ts";
import { EventReader } from "../../src/wire/decode.ts";
import { encodeEvent } from "../../src/wire/encode.ts";
import { decodePayload, encodePayload, MAX_PAYLOAD_BYTES } from "../../src/wire/payload.ts";
import { encodeRetry } from "../../src/wire/retry.ts";
import { assertUserHeaders } from "../../src/wire/user-headers.ts";

const hasProtoKey = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  (Object.hasOwn(value, "__proto__") || Object.values(value).some(hasProtoKey));

const payload = fc.jsonValue({ maxDepth: 5, stringUnit: "binary" }).filter((value) => !hasProtoKey(value));

const userHeaders = fc
  .dictionary(
    fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
    fc.string({ unit: "grapheme", maxLength: 200 }),
    {
      maxKeys: 10,
    },
  )
  .filter((headers) => {
    try {
      assertUserHeaders(headers);
      return true;
    } catch {
      return false;
    }
  });

const time = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true });

const event = fc.record({ payload, userHeaders, time }).map(({ payload: value, userHeaders: headers, time: at }) => ({
  value,
  headers,
  encoded: encodeEvent({
    name: "a.b",
    id: "id-1",
    time: at.getTime(),
    source: "test",
    text: encodePayload("a.b", value, MAX_PAYLOAD_BYTES),
    userHeaders: headers,
    cause: undefined,
  }),
}));

/** As a broker would hand it out again: the headers and the bytes, and nothing else. */
const received = ({ headers, body }: EncodedEvent) =>
  new EventReader({ headers: { ...headers }, body }, { now: () => 0 });

const budget = { maxBytes: 65_536, perHeader: 8 };

const error = fc.record({
  name: fc.string({ unit: "binary" }),
  message: fc.string({ unit: "binary", maxLength: 20_000 }),
  stack: fc.string({ unit: "binary", maxLength: 20_000 }),
});

describe("the codec, whatever is published", () => {
  it("any JSON payload comes back as it was", () => {
    fc.assert(
      fc.property(payload, (value) => {
        const decoded = decodePayload({ body: Buffer.from(encodePayload("a", value, MAX_PAYLOAD_BYTES)) });
        // JSON has no negative zero.
        expect(decoded).toEqual({ payload: JSON.parse(JSON.stringify(value)) as unknown });
      }),
      { numRuns: 500 },
    );
  });

  it("any allowed header comes back, with name, id and time", () => {
    fc.assert(
      fc.property(event, ({ encoded, headers }) => {
        const reader = received(encoded);
        expect(Object.entries(reader.userHeaders).sort()).toEqual(Object.entries(headers).sort());
        expect([reader.name, reader.id, reader.time]).toEqual(["a.b", "id-1", encoded.time]);
      }),
    );
  });

  it("D1 D4 neither a retry nor a dead letter nor a redrive changes payload, name, id, time or the user's headers", () => {
    fc.assert(
      fc.property(event, error, ({ encoded, headers }, failure) => {
        const again = (each: EncodedEvent) => ({ reader: received(each), body: each.body });
        const retried = encodeRetry(again(encoded), 2, failure, Date.now(), budget);
        const letter = { useCase: "uc", reason: "retries-exhausted", attempts: 2, error: failure } as const;
        const dead = encodeDeadLetter(again(retried), letter, Date.now(), budget);
        const redriven = reviveDeadLetter({ id: "1", event: dead });
        for (const each of [retried, dead, redriven]) {
          const reader = received(each);
          expect(Object.entries(reader.userHeaders).sort()).toEqual(Object.entries(headers).sort());
          expect([reader.name, reader.id, reader.time]).toEqual(["a.b", "id-1", encoded.time]);
          expect(each.body).toBe(encoded.body);
          expect(Object.values(each.headers).every((value) => value.isWellFormed())).toBe(true);
        }
        const bytes = Object.entries(dead.headers).flat().join("");
        expect(Buffer.byteLength(bytes)).toBeLessThan(65_536);
      }),
    );
  });
});
