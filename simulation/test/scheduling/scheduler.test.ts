import { describe, expect, it } from "vitest";
import { Random } from "../../src/random.ts";
import { SimulatedProcess } from "../../src/scheduling/process.ts";
import { Scheduler } from "../../src/scheduling/scheduler.ts";

const MANY = 10_000;

function stage(seed = "1") {
  const thrown: unknown[] = [];
  const scheduler = new Scheduler(1_000, (error) => thrown.push(error));
  const random = new Random(seed);
  const process = (name: string) => new SimulatedProcess(name, random.fork(name));
  return { scheduler, process, thrown };
}

describe("Scheduler", () => {
  it("runs what falls due at its time, up to the time it is run to", async () => {
    const { scheduler, process } = stage();
    const owner = process("a");
    const ran: [string, number][] = [];
    for (const delay of [30, 10, 20, 50])
      scheduler.after(owner, delay, () => ran.push([`after ${delay}`, scheduler.now]));
    await scheduler.runTo(1_040, MANY);
    expect(ran).toEqual([
      ["after 10", 1_010],
      ["after 20", 1_020],
      ["after 30", 1_030],
    ]);
    expect(scheduler.now).toBe(1_040);
    expect(scheduler.idle).toBe(false);
  });

  it("decides by chance what of all that is due at one time runs first, always the same for one seed", async () => {
    const orderOf = async (seed: string) => {
      const { scheduler, process } = stage(seed);
      const owner = process("a");
      const ran: number[] = [];
      for (let index = 0; index < 8; index += 1) scheduler.after(owner, 0, () => ran.push(index));
      await scheduler.runTo(scheduler.now, MANY);
      return ran.join();
    };
    const orders = await Promise.all(["1", "2", "3", "1", "2", "3"].map(orderOf));
    expect(orders.slice(0, 3)).toEqual(orders.slice(3));
    expect(new Set(orders).size).toBe(3);
  });

  it("lets all promises of one task go as far as they go before the next", async () => {
    const { scheduler, process } = stage();
    const owner = process("a");
    const ran: string[] = [];
    scheduler.after(owner, 1, async () => {
      for (let step = 0; step < 10; step += 1) await undefined;
      ran.push("first");
    });
    scheduler.after(owner, 2, () => ran.push("second"));
    await scheduler.runTo(2_000, MANY);
    expect(ran).toEqual(["first", "second"]);
  });

  it("runs nothing of a dead process, and what was due in a pause after it, in its order", async () => {
    const { scheduler, process } = stage();
    const [dead, paused] = [process("dead"), process("paused")];
    const ran: string[] = [];
    scheduler.after(dead, 10, () => ran.push("dead"));
    for (const delay of [30, 10, 20]) scheduler.after(paused, delay, () => ran.push(`paused ${delay}`));
    const cancel = scheduler.after(paused, 15, () => ran.push("cancelled"));
    dead.dead = true;
    paused.pause();
    await scheduler.runTo(1_100, MANY);
    expect(ran).toEqual([]);
    cancel();
    paused.resume();
    await scheduler.runTo(1_100, MANY);
    expect(ran).toEqual(["paused 10", "paused 20", "paused 30"]);
    expect([scheduler.idle, scheduler.now]).toEqual([true, 1_100]);
  });

  it("hands over what a task throws, and goes on", async () => {
    const { scheduler, process, thrown } = stage();
    const owner = process("a");
    scheduler.after(owner, 1, () => {
      throw new Error("thrown");
    });
    let ran = false;
    scheduler.after(owner, 2, () => (ran = true));
    await scheduler.runTo(2_000, MANY);
    expect([thrown, ran]).toEqual([[new Error("thrown")], true]);
  });
});
