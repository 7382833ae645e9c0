import { isPapaError } from "@papa-events/core";
import { kafka } from "@papa-events/transport-kafka";
import { expect, test } from "vitest";
import { type KafkaOptions, readOptions } from "../../src/client/options.ts";
import { addressOf } from "../../src/client/uri.ts";

test("L4 a URL names brokers, credentials and options", () => {
  const target = readOptions(
    "kafkas://user%40x:p%2Fw@one:9093,two,[::1]:9094?prefix=orders&mechanism=SCRAM-SHA-512&partitions=3",
  );
  expect(target).toMatchObject({
    secure: true,
    brokers: [
      { host: "one", port: 9_093 },
      { host: "two", port: 9_092 },
      { host: "::1", port: 9_094 },
    ],
    sasl: { mechanism: "scram-sha-512", username: "user@x", password: "p/w" },
    prefix: "orders",
    partitions: 3,
    createTopics: true,
  });
  expect(addressOf(target)).toBe("kafkas://one:9093,two:9092,[::1]:9094");
});

test("L4 compression is one that batches can be sent with", () => {
  expect(readOptions("kafka://localhost").compression).toBeUndefined();
  expect(readOptions("kafka://localhost?compression=zstd").compression).toBe("zstd");
  expect(readOptions({ uri: "kafka://localhost", compression: "gzip" }).compression).toBe("gzip");
  expect(() => readOptions("kafka://localhost?compression=lz4")).toThrow(/"lz4" is not one of gzip, zstd/);
});

test("L4 an engine is one that is known", () => {
  expect(readOptions("kafka://localhost").engine).toBe("kafkajs");
  expect(readOptions("kafka://localhost?engine=platformatic").engine).toBe("platformatic");
  expect(() => readOptions("kafka://localhost?engine=librdkafka")).toThrow(/"librdkafka" is not one of kafkajs, pl/);
});

test("L4 what is unset has a safe default", () => {
  expect(readOptions("kafka://localhost")).toMatchObject({
    prefix: "papa",
    sasl: undefined,
    tls: undefined,
    partitions: 6,
  });
  expect(readOptions("kafka://u:p@localhost").sasl).toEqual({ mechanism: "plain", username: "u", password: "p" });
});

test.each([
  ["amqp://user:s3cret@localhost", /kafka:\/\/.*amqp:/],
  ["kafka://user:s3cret/x@localhost", /percent-encoded/],
  ["kafka://u:s3cret%zz@localhost", /%25/],
  ["kafka://host:99999", /host:port/],
  ["kafka://host?prefx=a", /unknown parameter "prefx"/],
  ["kafka://host?prefix=a--b", /single "-"/],
  ["kafka://host?partitions=none", /whole number/],
  ["kafka://host?createTopics=maybe", /neither true nor false/],
  ["kafka://u:s3cret@host?mechanism=gssapi", /not one of plain/],
  ["kafka://host?mechanism=plain", /needs a user/],
])("L4 %s is refused with a helpful message", (uri, problem) => {
  const error = caught(() => kafka(uri));
  expect(isPapaError(error, "invalid-option") && error.message).toMatch(problem);
  expect(String(error)).not.toContain("s3cret");
});

test("L4 invalid options are refused with a helpful message", () => {
  const wrong: readonly [Partial<KafkaOptions>, RegExp][] = [
    [{ tls: {} }, /kafkas:/],
    [{ prefixx: "a" } as Partial<KafkaOptions>, /prefixx/],
    [{ sessionTimeout: 1 }, /sessionTimeout/],
    [{ sasl: { mechanism: "oauthbearer" } as never }, /token/],
  ];
  for (const [options, problem] of wrong)
    expect(() => kafka({ uri: "kafka://localhost", ...options })).toThrow(problem);
});

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
