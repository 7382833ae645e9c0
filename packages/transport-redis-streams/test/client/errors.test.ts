import { expect, test } from "vitest";
import { isQueueMissing, isTransient, toPapaError } from "../../src/client/errors.ts";

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

test("L4 a host with several addresses fails with what each of them said", () => {
  const cause = Object.assign(
    new AggregateError([new Error("connect ECONNREFUSED ::1:6379"), new Error("connect ECONNREFUSED 127.0.0.1:6379")]),
    { code: "ECONNREFUSED" },
  );
  const { message, retryable } = toPapaError(cause, "redis://localhost:6379");
  expect(message).toContain("connect ECONNREFUSED ::1:6379, connect ECONNREFUSED 127.0.0.1:6379");
  expect(retryable).toBe(true);
});

test("L6 a read that a failover ends is not taken for a queue that was deleted", () => {
  const byFailover = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
  expect(isQueueMissing(reply(byFailover))).toBe(false);
  expect(isQueueMissing(reply("UNBLOCKED the stream key no longer exists"))).toBe(true);
  expect(isQueueMissing(reply("NOGROUP No such key 'queue' or consumer group 'papa'"))).toBe(true);
});

test("H8 an error that neither the server nor the connection has to do with is not tried again", () => {
  const bug = new RangeError("Maximum call stack size exceeded");
  expect(isTransient(bug)).toBe(false);
  expect(toPapaError(bug, "redis://localhost:6379")).toMatchObject({ retryable: false, cause: bug });
  expect(isTransient(new Error("Connection is closed."))).toBe(true);
  expect(isTransient(reply("ERR Error running script: Script killed by user with SCRIPT KILL."))).toBe(true);
  expect(isTransient(reply("OOM command not allowed when used memory > 'maxmemory'."))).toBe(true);
});
