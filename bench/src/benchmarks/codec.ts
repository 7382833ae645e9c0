import { type EncodedEvent, EventReader, systemClock } from "@papa-events/core/transport";
// The codec is the core's own and no public export; these are its sources.
import { encodeEvent } from "../../../packages/core/src/wire/encode.ts";
import { newEventId } from "../../../packages/core/src/wire/event-id.ts";
import { decodePayload, encodePayload } from "../../../packages/core/src/wire/payload.ts";
import type { Benchmark, Work } from "../benchmark.ts";
import { makePayload } from "../payload.ts";

const LIMIT = 1_048_576;

async function bareJson(): Promise<Work> {
  return {
    run: async (count) => {
      for (let index = 0; index < count; index += 1) {
        const body = Buffer.from(JSON.stringify(makePayload(index)));
        JSON.parse(body.toString());
      }
    },
  };
}

function encode(index: number): EncodedEvent {
  const time = Date.now();
  const text = encodePayload("user.created", makePayload(index), LIMIT);
  const parts = { name: "user.created", id: newEventId(time), time, source: "bench", text };
  return encodeEvent({ ...parts, userHeaders: undefined, cause: undefined });
}

async function wholeCodec(): Promise<Work> {
  return {
    run: async (count) => {
      for (let index = 0; index < count; index += 1) {
        const event = encode(index);
        const reader = new EventReader(event, systemClock);
        if (reader.name === "" || "problem" in decodePayload({ body: event.body }))
          throw new Error("the codec lost something");
      }
    },
  };
}

async function allMetadata(): Promise<Work> {
  return {
    run: async (count) => {
      for (let index = 0; index < count; index += 1) {
        const event = encode(index);
        const { id, time, userHeaders } = new EventReader(event, systemClock);
        if (id === "" || time === 0 || userHeaders === undefined) throw new Error("the codec lost something");
        decodePayload({ body: event.body });
      }
    },
  };
}

/** What the wire format costs over bare JSON. */
export const codec: Benchmark = {
  name: "codec",
  title: "Codec, encode and decode a 330-byte event",
  count: 300_000,
  unit: "events",
  contenders: [
    { name: "JSON through a Buffer", lacks: "no metadata, no checks", prepare: bareJson },
    { name: "the codec, name and payload read", prepare: wholeCodec },
    { name: "the codec, all metadata read", prepare: allMetadata },
  ],
};
