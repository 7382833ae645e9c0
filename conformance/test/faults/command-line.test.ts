import { describe, expect, it } from "vitest";
import { targets } from "../../src/faults/brokers/targets.ts";
import { type Choice, readCommandLine, usage } from "../../src/faults/command-line.ts";
import { scenarios } from "../../src/faults/scenarios/index.ts";

const known = { targets, scenarios };

function choice(...args: string[]): Choice {
  const read = readCommandLine(args, known);
  if (read === "help") throw new Error("help was not asked for");
  return read;
}

const names = (broker: string, ...args: string[]) =>
  choice(broker, ...args)
    .scenarios(broker)
    .map(({ name }) => name);

describe("the command line of the faults", () => {
  it("plays all that a broker can have, or what is named", () => {
    expect(names("rabbitmq-4.0")).toContain("consumer-killed");
    expect(names("rabbitmq-4.0")).not.toContain("scripts-flushed");
    expect(names("redis-8.0")).toContain("scripts-flushed");
    expect(names("kafka-4.1")).not.toContain("each-broker-killed");
    expect(names("kafka-4.4-cluster")).toContain("each-broker-killed");
    expect(names("rabbitmq-4.0", "broker-killed", "connections-cut")).toEqual(["connections-cut", "broker-killed"]);
  });

  it("has a default for every option", () => {
    expect(choice("redis-8.0")).toMatchObject({
      brokers: ["redis-8.0"],
      events: 20_000,
      times: undefined,
      write: false,
    });
    expect(choice("redis-8.0", "--events", "10", "--times", "2", "--write")).toMatchObject({
      events: 10,
      times: 2,
      write: true,
    });
  });

  it("has a long form in place of scenarios", () => {
    const [long, ...more] = choice("redis-8.6", "--kills", "7", "--seed", "3").scenarios("redis-8.6");
    expect(more).toEqual([]);
    expect(long).toMatchObject({ name: "anything-killed", times: 7, what: expect.stringMatching(/seed 3$/) });
  });

  it.each([
    [[], "a broker is needed; there are rabbitmq-4.3, "],
    [["rabbitmq"], '"rabbitmq" is not a broker; there are rabbitmq-4.3, '],
    [
      ["rabbitmq-4.0", "consumer-lost"],
      'unknown broker or scenario "consumer-lost"; on rabbitmq-4.0 there are consumer-killed, ',
    ],
    [["rabbitmq-4.0", "scripts-flushed"], 'unknown broker or scenario "scripts-flushed"; on rabbitmq-4.0 there are '],
    [["kafka-4.1", "each-broker-killed"], 'unknown broker or scenario "each-broker-killed"; on kafka-4.1 there are '],
    [["rabbitmq-4.0", "--event", "10"], "Unknown option '--event'"],
    [["rabbitmq-4.0", "--events", "many"], '--events must be a whole number of at least 1, not "many"'],
    [["rabbitmq-4.0", "--seed", "5"], "--seed needs --kills"],
    [["rabbitmq-4.0", "broker-killed", "--kills", "5"], '--kills is no option of a scenario such as "broker-killed"'],
    [["rabbitmq-4.0", "--kills", "-1"], "Option '--kills' argument is ambiguous"],
    [["rabbitmq-4.0", "--times", "0.5"], '--times must be a whole number of at least 1, not "0.5"'],
  ])("refuses %j", (args, message) => {
    expect(() => choice(...args)).toThrow(message);
  });

  it("helps with every broker, scenario and option", () => {
    expect(readCommandLine(["--help"], known)).toBe("help");
    const words = [...Object.keys(targets), ...scenarios.map(({ name }) => name)];
    for (const word of [...words, "--events", "--times", "--kills", "--seed", "--write"])
      expect(usage(known)).toContain(word);
  });
});
