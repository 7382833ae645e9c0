import { amqp, fromUri } from "@papa-events/transport-amqp";
import { expect, test } from "vitest";

test("L4 an invalid URL is refused without being printed", () => {
  for (const uri of [
    "amqp://u:s3cret@",
    "http://u:s3cret@h",
    "u:s3cret",
    "amqp://u:s3cret%@h",
    "amqp://u:s3cret@h?x=1",
    "amqp://svc:P@s3cret/word@rabbit/",
    "amqp://svc:P@s/s3cret@rabbit/",
    "amqp://svc:P@ss/s3cret@rabbit",
    "amqp://svc:p?s3cret@rabbit/",
    "amqp://svc:p?prefix=s3cret@rabbit/",
    "amqp://svc:p#s3cret@rabbit/",
    "amqp://svc:s3cret#x@rabbit/",
    "amqp://svc:12/s3cret@rabbit/",
    "amqp://svc:12?s3cret",
    "amqp://svc:12?prefix=s3cret!",
    "amqp://svc:12?heartbeat=s3cret",
    "amqp://svc:s3cret/x",
    "amqp://svc:s3cret",
    "amqp://svc:s3cret@h1:port,h2",
    "amqp://svc:s3cret@h1,,h2",
    "amqp://svc:s3cret@[::1",
    "amqp://s3cret:x@y@h",
    "amqp:/u:s3cret@h",
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
  expect(() => amqp({ uri: "amqp://h", prefix: "a--b" })).toThrow(/"a--b"/);
  expect(() => fromUri("amqp://h?prefix=a--b")).toThrow(/prefix/);
  expect(() => amqp({ uri: "amqp://h", heartbeat: 0 })).toThrow(/heartbeat/);
  expect(fromUri("amqp://u:s3cret@h/v?prefix=a").address).toBe("amqp://h:5672/v");
  expect(fromUri("amqp://svc:P%40ss%2Fword%3F%23@rabbit/").address).toBe("amqp://rabbit:5672/");
  expect(fromUri("amqps://u:p@h1,h2:1234, [::1]:99/a%2Fb?heartbeat=5").address).toBe(
    "amqps://h1:5671,h2:1234,[::1]:99/a%2Fb",
  );
});
