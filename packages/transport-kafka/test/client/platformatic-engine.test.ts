import { EventEmitter } from "node:events";
import * as library from "@platformatic/kafka";
import { expect, test } from "vitest";
import { platformaticEngine } from "../../src/client/platformatic-engine.ts";

/** What the library does when a login expires, without a broker. */
class Connection extends EventEmitter {
  readonly sent: number[] = [];
  static last: Connection;

  constructor() {
    super();
    Connection.last = this;
  }

  send(key: number): void {
    this.sent.push(key);
  }

  reauthenticate(): void {
    this.sent.push(17);
  }

  close(): void {}
}

const engine = platformaticEngine({ ...library, Connection } as unknown as typeof library);
const target = { host: "broker", port: 1, clientId: "test", connectTimeout: 1_000, sasl: undefined, tls: undefined };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A broker refuses what comes between the two halves of a login. */
test.each(["sasl:authentication:extended", "close"])(
  "L3 while a login is renewed nothing else is sent, until %s",
  async (event) => {
    const connection = engine(target, () => {});
    const send = (key: number) => void connection.send({ api: "", key, version: 0, body: Buffer.alloc(0) });
    send(1);
    await turn();
    Connection.last.reauthenticate();
    send(2);
    send(3);
    await turn();
    expect(Connection.last.sent).toEqual([1, 17]);
    Connection.last.emit(event);
    await turn();
    expect(Connection.last.sent).toEqual([1, 17, 2, 3]);
  },
);
