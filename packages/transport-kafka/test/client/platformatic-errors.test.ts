import { AuthenticationError, NetworkError, ProtocolError } from "@platformatic/kafka";
import { expect, test } from "vitest";
import { platformaticErrorOf } from "../../src/client/platformatic-errors.ts";
import { KafkaError } from "../../src/wire/kafka-error.ts";

/** As the library wraps what goes wrong while it logs in. */
const login = (cause: Error) =>
  new NetworkError("Connection to broker:9092 failed.", {
    cause: new AuthenticationError("SASL authentication failed.", { cause }),
  });

test("L3 a connection that is lost during a login is no refusal", () => {
  const error = platformaticErrorOf(login(new NetworkError("Connection closed")), "plain");
  expect(error).toMatchObject({ type: "CONNECTION", retriable: true });
  expect(error.message).toContain("Connection closed");
});

test("L4 a login that the broker refuses is told with the broker's words, without what was sent", () => {
  const refusal = new ProtocolError("SASL_AUTHENTICATION_FAILED", "invalid credentials", { response: "s3cret" });
  const error = platformaticErrorOf(login(refusal), "scram-sha-512");
  expect(error).toMatchObject({ type: "AUTHENTICATION", retriable: false });
  expect(error.message).toBe("SASL SCRAM-SHA-512 authentication failed: invalid credentials");
  expect(error.cause).toBeUndefined();
  const impostor = platformaticErrorOf(login(new AuthenticationError("Invalid server signature.")), "scram-sha-512");
  expect(impostor).toMatchObject({ type: "AUTHENTICATION", retriable: false });
});

test("L4 why a token could not be obtained is told as it was", () => {
  const why = new KafkaError("TOKEN", "the issuer is away", true);
  expect(platformaticErrorOf(login(why))).toBe(why);
});

test("L3 an error of the network is told with its reason", () => {
  const refused = new NetworkError("Connection to broker:1 failed.", { cause: new Error("connect ECONNREFUSED") });
  expect(platformaticErrorOf(refused)).toMatchObject({
    type: "CONNECTION",
    message: "Connection error: connect ECONNREFUSED",
  });
});
