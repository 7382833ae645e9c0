import { amqp, fromUri } from "@papa-events/transport-amqp";
import { expect, test } from "vitest";

test("L4 an invalid URL is refused without being printed", () => {
  for (const uri of [
    "amqp://u:s3cret@",
    "http://u:s3cret@h",
    "u:s3cret",
    "amqp://u:s3cret%@h",
    "amqp://u:s3cret@h?x=1",
  ]) {
    let message = "";
    try {
      fromUri(uri);
    } catch (error) {
      expect(error).toMatchObject({ code: "invalid-option" });
      message = `${String(error)} ${JSON.stringify(error)}`;
    }
    expect(message).not.toBe("");
    expect(message).not.toContain("s3cret");
  }
  expect(() => fromUri("amqp://h?prefix=a--b")).toThrow(/prefix/);
  expect(() => amqp({ uri: "amqp://h", heartbeat: 0 })).toThrow(/heartbeat/);
  expect(fromUri("amqp://u:s3cret@h/v?prefix=a").address).toBe("amqp://h:5672/v");
});
