import { memory, virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { type DeadLetterItem, PapaApp, useCase } from "../../src/index.ts";
import { FakeTransport, silent, started, turns } from "../support.ts";

/** A broker that counts how often trials begin. */
function counting() {
  const transport = new FakeTransport();
  const begun: string[] = [];
  transport.trials = {
    begin: async (_, eventId) => {
      begun.push(eventId);
      return 0;
    },
    end: async () => {},
  };
  return { transport, begun };
}

const accepts = () => useCase("log", { on: "a" }, () => {});

describe("T6 an event that is forwarded", () => {
  it("says how often it came back unexplained, also before it was forwarded the last time", async () => {
    const { transport } = counting();
    transport.onList = () => [{ useCase: "log", patterns: ["a"], idle: 0 }];
    await started(transport, [useCase("log", { on: "b" }, () => {})]);
    const settlement = await transport.deliver(
      "log",
      { name: "a", headers: { papa_redelivered: "1" } },
      { redeliveries: 1 },
    );
    expect(settlement).toMatchObject({ kind: "forward", event: { headers: { papa_redelivered: "2" } } });
  });

  it("says nothing of it where it never came back", async () => {
    const { transport } = counting();
    transport.onList = () => [{ useCase: "log", patterns: ["a"], idle: 0 }];
    await started(transport, [useCase("log", { on: "b" }, () => {})]);
    const settlement = await transport.deliver("log", { name: "a" });
    expect(settlement.kind === "forward" && "papa_redelivered" in settlement.event.headers).toBe(false);
  });

  it("is a suspect by what happened before as well, whatever the broker has counted since", async () => {
    const { transport, begun } = counting();
    await started(transport, [accepts()]);
    for (const [id, before, since] of [
      ["1", "1", 0],
      ["2", "1", 1],
      ["3", "2", 0],
      ["4", "nonsense", 0],
    ] as const) {
      const event = { id, name: "a", headers: { papa_redelivered: before } };
      await transport.deliver("log", event, { redeliveries: since });
    }
    await turns();
    expect(begun).toEqual(["2", "3"]);
  });

  // The instance that got it took the record of the one that forwarded it for a death.
  it("is not tried where it is only to be forwarded", async () => {
    const { transport, begun } = counting();
    transport.onList = () => [{ useCase: "log", patterns: ["a"], idle: 0 }];
    await started(transport, [useCase("log", { on: "b" }, () => {})]);
    const settlement = await transport.deliver("log", { name: "a" }, { redeliveries: 2 });
    expect(settlement).toMatchObject({ kind: "forward", event: { headers: { papa_redelivered: "2" } } });
    expect(begun).toEqual([]);
  });

  // Each death gave it to the instance that forwards, and forwarding made a new message of it, with no death counted.
  it("ends as a crash loop where one instance dies of it and the other forwards it", async () => {
    const clock = virtualClock({ start: 0 });
    const transport = memory({ clock });
    const deadLetters: string[] = [];
    const onDeadLetter = ({ reason }: DeadLetterItem) => void deadLetters.push(reason);
    const options = { transport, logger: silent, crashLimit: 2, onDeadLetter };
    let deaths = 0;
    const start = async () => {
      const forwards = new PapaApp(options).onEvent("b", { useCase: "log" }, () => {});
      const dies = new PapaApp(options).onEvent("a", { useCase: "log" }, async () => {
        deaths += 1;
        transport.crash();
        await new Promise(() => {});
      });
      await forwards.start();
      await dies.start();
      return dies;
    };
    let app = await start();
    await app.newEvent("a", 1);
    for (let round = 0; round < 20 && deadLetters.length === 0; round += 1) {
      await clock.advance("2m");
      app = await start();
    }
    await clock.advance("2m");
    expect({ deaths, deadLetters }).toEqual({ deaths: 4, deadLetters: ["crash-loop"] });
    await app.stop();
  });
});
