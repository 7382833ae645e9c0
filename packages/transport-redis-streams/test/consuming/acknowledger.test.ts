import { expect, test } from "vitest";
import type { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { Acknowledger } from "../../src/consuming/acknowledger.ts";
import { HeldBytes } from "../../src/consuming/held-bytes.ts";
import { Ledger } from "../../src/consuming/ledger.ts";
import type { SettlingOptions } from "../../src/consuming/settlement-sender.ts";
import { SettlementSender } from "../../src/consuming/settlement-sender.ts";
import { Keys } from "../../src/wire/keys.ts";
import { delivered } from "../support/events.ts";
import { quiet } from "../support/space.ts";

/** A server that refuses for a moment and then has no queue any more, and what is told of it. */
function refusing() {
  const replies = ["MISCONF Errors writing to the AOF file", "NOGROUP No such key"];
  const run = () => Promise.reject(Object.assign(new Error(replies.shift()), { name: "ReplyError" }));
  const told: (string | undefined)[] = [];
  const options: SettlingOptions = {
    keys: new Keys("x").forUseCase("uc"),
    connection: { closed: false, up: true, whenUp: async () => {}, run } as unknown as ReconnectingConnection,
    logger: quiet,
    ledger: new Ledger("me", new HeldBytes(1_000)),
    onSettled: () => void told.push("room"),
    onLeaseEnded: async () => {},
    onProblem: (problem) => void told.push(problem?.replace(/:.*/, "")),
  };
  const delivery = delivered("1-0");
  options.ledger.add(delivery);
  return { run, told, options, delivery };
}

test("L6, L8 acknowledgements that are refused are no problem any more once their queue is gone, which leaves room", async () => {
  const { told, options, delivery } = refusing();
  expect(await new Acknowledger(options).acknowledge(delivery)).toBe("lost");
  expect(told).toEqual(["the server refuses acknowledgements", undefined, "room"]);
  expect(options.ledger.size).toBe(0);
});

test("L6, L8 so are other settlements", async () => {
  const { run, told, options, delivery } = refusing();
  expect(await new SettlementSender(options, run).settle(delivery, { kind: "release" })).toBe("lost");
  expect(told.sort()).toEqual(["room", "the server refuses what becomes of events", undefined]);
  expect(options.ledger.size).toBe(0);
});
