import { virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { PapaError, useCase } from "../../src/index.ts";
import { FakeTransport, started, turns } from "../support.ts";

const busy = new PapaError("connection-failed", "busy", { transport: "fake" }, { retryable: true });

/** A broker whose time the test moves. */
function inTime() {
  const transport = new FakeTransport();
  const clock = virtualClock({ start: 0 });
  transport.clock = clock;
  return { transport, clock };
}

const reconnect = async (transport: FakeTransport) => {
  transport.setConnected(false);
  transport.setConnected(true);
  await turns();
};

describe("L6 when the connection is back", () => {
  // It waited up to 30 s for its turn, and took the room of others meanwhile.
  it("H9 what was refused is offered again at once, and makes room where it is lost", async () => {
    const { transport, clock } = inTime();
    let lost = false;
    transport.onSettle = async () => {
      if (!lost) throw busy;
      return "lost";
    };
    const handled: string[] = [];
    const log = useCase("log", { on: "#" }, (_, { id }) => {
      handled.push(id);
      return { name: "b", payload: 1 };
    });
    const app = await started(transport, [log], { maxHeldBytes: 100 });
    const body = Buffer.from(JSON.stringify("x".repeat(100)));
    void transport.deliver("log", { name: "a", id: "1", body });
    await turns();
    await clock.advance("8s");
    expect(app.health().reasons.map(({ subject }) => subject)).toEqual(['settling "log"']);
    lost = true;
    await reconnect(transport);
    expect(app.health().healthy).toBe(true);
    void transport.deliver("log", { name: "a", id: "2", body });
    await turns();
    expect(handled).toEqual(["1", "2"]);
  });

  it("a refresh of the declarations that has failed is made up for at once", async () => {
    const { transport, clock } = inTime();
    let declared = 0;
    const app = await started(transport, [useCase("log", { on: "#" }, () => {})]);
    transport.onDeclare = () => {
      throw busy;
    };
    await clock.advance("1m");
    expect(app.health().reasons.map(({ subject }) => subject)).toEqual(["declarations"]);
    transport.onDeclare = () => void (declared += 1);
    await reconnect(transport);
    expect([declared, app.health().healthy]).toEqual([1, true]);
    await clock.advance("1m");
    expect(declared).toBe(2);
  });
});
