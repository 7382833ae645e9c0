import { describe, expect, it } from "vitest";
import { type Choice, readCommandLine, usage } from "../../bench/src/command-line.ts";

const all = [
  { name: "memory", title: "in memory", contenders: [{ name: "floor" }, { name: "newEvent" }] },
  { name: "memory-growth", title: "grows" },
  { name: "amqp-publish", title: "publishes", broker: "rabbitmq", contenders: [{ name: "papa" }, { name: "amqplib" }] },
];

function choice(...args: string[]): Choice {
  const read = readCommandLine(args, all);
  if (read === "help") throw new Error("help was not asked for");
  return read;
}

const names = (...args: string[]) => all.filter(choice(...args).runs).map(({ name }) => name);

describe("the command line of the benchmarks", () => {
  it("runs what needs no broker, else what is named, by its first words too", () => {
    expect(names()).toEqual(["memory", "memory-growth"]);
    expect(names("amqp")).toEqual(["amqp-publish"]);
    expect(names("memory-growth", "amqp-publish")).toEqual(["memory-growth", "amqp-publish"]);
  });

  it("takes contenders by words of their names", () => {
    const { takes } = choice("amqp", "--contenders", "AMQP, papa");
    expect([takes({ name: "amqplib, no envelope" }), takes({ name: "rascal" })]).toEqual([true, false]);
    expect(choice().takes({ name: "any" })).toBe(true);
  });

  it("counts rounds, and is quick in one", () => {
    expect(choice()).toMatchObject({ rounds: 5, scale: 1 });
    expect(choice("--rounds", "9")).toMatchObject({ rounds: 9, scale: 1 });
    expect(choice("--quick")).toMatchObject({ rounds: 1, scale: 0.2 });
  });

  it.each([
    [["amqp", "nothing"], 'unknown benchmark "nothing"; there are memory, memory-growth, amqp-publish'],
    [["--round", "9"], "Unknown option '--round'"],
    [["--rounds", "many"], '--rounds must be a whole number of at least 1, not "many"'],
    [["--rounds", "0"], '--rounds must be a whole number of at least 1, not "0"'],
    [["memory", "--contenders", "amqplib"], 'no contender has "amqplib" in its name; there are "floor", "newEvent"'],
  ])("refuses %j", (args, message) => {
    expect(() => choice(...args)).toThrow(message);
  });

  it("helps with every name and option", () => {
    expect(readCommandLine(["nothing", "--help"], all)).toBe("help");
    for (const word of [...all.flatMap(({ name, title }) => [name, title]), "--rounds", "--contenders", "--quick"]) {
      expect(usage(all)).toContain(word);
    }
  });
});
