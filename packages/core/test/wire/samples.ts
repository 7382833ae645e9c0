import type { EncodedEvent, ReceivedEvent } from "../../src/transport.ts";
import { encodeDeadLetter, reviveDeadLetter } from "../../src/wire/dead-letter.ts";
import { EventReader } from "../../src/wire/decode.ts";
import { type EventParts, encodeEvent } from "../../src/wire/encode.ts";
import { encodeForward } from "../../src/wire/forward.ts";
import { encodePayload } from "../../src/wire/payload.ts";
import { encodeRetry } from "../../src/wire/retry.ts";

const PUBLISHED = Date.parse("2026-02-03T04:05:06.789Z");
const FAILED = Date.parse("2026-02-03T04:05:07.000Z");
const DIED = Date.parse("2026-02-03T04:06:00.000Z");

/** What most brokers take, and more than any sample has. */
const budget = { maxBytes: 65_536, perHeader: 8 };
const clock = { now: () => DIED };
const error = {
  name: "TypeError",
  message: "ñandú is undefined",
  stack: "TypeError: ñandú is undefined\n    at handler",
};

const parts: EventParts = {
  name: "user.created",
  id: "0190163d-8694-739b-aea5-966c26f8ad91",
  time: PUBLISHED,
  source: "papa-events",
  text: encodePayload("user.created", { name: "Ñuño 🐦", age: 21, tags: ["a", null], 'quoted "key"': 1.5e-7 }, 1_000),
  userHeaders: undefined,
  cause: undefined,
};

const event = encodeEvent(parts);
const withHeaders = encodeEvent({
  ...parts,
  userHeaders: { tenant: "Zürich", "x-request-id": "1" },
  cause: {
    id: "order-17",
    headers: { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "rojo=00f067" },
  },
});
const again = (received: ReceivedEvent) => ({ reader: new EventReader(received, clock), body: received.body });
const retried = encodeRetry(again(withHeaders), 2, error, FAILED, budget);
const dead = encodeDeadLetter(
  again(retried),
  { useCase: "send_welcome", reason: "retries-exhausted", attempts: 2, error },
  DIED,
  budget,
);
/** What another program publishes: a body and, by the broker's own means, a name, an id and a time. */
const foreign: ReceivedEvent = {
  name: "legacy.import",
  id: "5f2b",
  time: PUBLISHED,
  headers: { retries: 3, origin: Buffer.from("cron") },
  body: Buffer.from('{"rows": 3}'),
};

/** Every kind of event of the wire format's grammar (header-names.ts), by the name of its fixture. */
export const samples: Readonly<Record<string, EncodedEvent>> = {
  event,
  "event-with-headers": withHeaders,
  retry: retried,
  forward: encodeForward(again(retried), DIED, budget),
  "forwarded-twice": encodeForward(again(encodeForward(again(event), FAILED, budget)), DIED, budget),
  "retry-after-forward": encodeRetry(again(encodeForward(again(event), FAILED, budget)), 2, error, DIED, budget),
  "dead-letter": dead,
  redriven: reviveDeadLetter({ id: "1", event: dead }),
  "foreign-retry": encodeRetry(again(foreign), 2, error, FAILED, budget),
};
