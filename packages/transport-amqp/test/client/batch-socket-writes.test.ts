import type { ChannelModel } from "amqplib";
import { expect, test } from "vitest";
import { batchSocketWrites } from "../../src/client/batch-socket-writes.ts";

function model(round: () => void) {
  const calls: string[] = [];
  const stream = { cork: () => calls.push("cork"), uncork: () => calls.push("uncork") };
  const muxer = { _readIncoming: round };
  return { calls, muxer, model: { connection: { stream, muxer } } as unknown as ChannelModel };
}

test("a round of frames is one write, also when it fails", () => {
  const { calls, muxer, model: given } = model(() => void calls.push("round"));
  batchSocketWrites(given);
  muxer._readIncoming();
  expect(calls).toEqual(["cork", "round", "uncork"]);
  const failing = model(() => {
    throw new Error("the socket is gone");
  });
  batchSocketWrites(failing.model);
  expect(() => failing.muxer._readIncoming()).toThrow("the socket is gone");
  expect(failing.calls).toEqual(["cork", "uncork"]);
});

test("what has another inside is left as it is", () => {
  expect(() => batchSocketWrites({ connection: {} } as ChannelModel)).not.toThrow();
});
