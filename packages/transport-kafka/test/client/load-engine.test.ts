import { expect, onTestFinished, test, vi } from "vitest";
import { loadEngine } from "../../src/client/load-engine.ts";
import { failure } from "../support/failure.ts";
import { brokerUri } from "../support/space.ts";

test("L4 an engine whose package is missing fails the start, and the message names the package", async () => {
  vi.doMock("@platformatic/kafka", () => {
    throw new Error("Cannot find package");
  });
  onTestFinished(() => void vi.doUnmock("@platformatic/kafka"));
  const error = await failure({ uri: brokerUri(), engine: "platformatic" });
  expect(error).toMatchObject({ code: "invalid-option", retryable: false });
  expect(error.message).toMatch(/@platformatic\/kafka.*Node\.js 22\.22/);
  expect(await loadEngine("kafkajs")).toBeTypeOf("function");
});
