import { expect, onTestFinished, test, vi } from "vitest";
import { Handover } from "../../src/consuming/handover.ts";
import { PartitionLog } from "../../src/consuming/partition-log.ts";
import { Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const record = (offset: number) => ({ offset, time: 0, key: null, value: null, headers: {} });

/** A log with two records of which one is being handled. */
function busyLog(partition: number) {
  const log = new PartitionLog({ topic: "t", partition }, 0);
  log.add([record(0), record(1)], 2);
  const entry = log.next();
  if (entry === undefined) throw new Error("nothing is delivered");
  return { log, finish: () => log.settle(entry) };
}

function handover() {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const calls: string[] = [];
  const room = { isThere: true };
  return {
    calls,
    room,
    it: new Handover({
      onDrained: () => calls.push("drained"),
      onResumed: () => calls.push("resumed"),
      hasRoom: () => room.isThere,
    }),
  };
}

test("R8 what is to be given up is handed out no further, and the group is joined when it has drained", () => {
  const { it, calls } = handover();
  const [one, two] = [busyLog(1), busyLog(2)];
  it.begin([one.log, two.log]);
  expect(one.log.next()).toBeUndefined();
  one.finish();
  it.check();
  expect(calls).toEqual([]);
  two.finish();
  it.check();
  expect(calls).toEqual(["drained"]);
});

test("R8 one slow handler does not hold up what else is to be given up", () => {
  const { it, calls } = handover();
  const [one, two] = [busyLog(1), busyLog(2)];
  it.begin([one.log, two.log]);
  one.finish();
  it.check();
  vi.advanceTimersByTime(3_000);
  expect(calls).toEqual(["drained"]);
});

test("H8 a partition is read on when a handler runs for very long in it, also after others have joined meanwhile", () => {
  const { it, calls } = handover();
  const { log } = busyLog(1);
  it.begin([log]);
  vi.advanceTimersByTime(20_000);
  it.begin([log]);
  expect(log.deliveryPaused).toBe(true);
  vi.advanceTimersByTime(10_000);
  expect(calls).toEqual(["resumed"]);
  expect(log.deliveryPaused).toBe(false);
  it.begin([log]);
  expect(log.deliveryPaused).toBe(false);
});

/** Handlers of more than half a minute used to leave an instance that joined them with nothing to do. */
test("R8 where there is no room for more of it anyway, a partition is drained for as long as its handlers take", () => {
  const { it, calls, room } = handover();
  const { log, finish } = busyLog(1);
  room.isThere = false;
  it.begin([log]);
  vi.advanceTimersByTime(60_000);
  it.begin([log]);
  vi.advanceTimersByTime(60_000);
  expect([calls, log.deliveryPaused]).toEqual([[], true]);
  finish();
  it.check();
  expect(calls).toEqual(["drained"]);
});

test("H8 it is read on when there is room, or a handler runs for ever", () => {
  for (const hasRoomAfter of [60_000, Number.POSITIVE_INFINITY]) {
    const { it, calls, room } = handover();
    const { log } = busyLog(1);
    room.isThere = false;
    it.begin([log]);
    vi.advanceTimersByTime(59_000);
    expect(calls).toEqual([]);
    room.isThere = hasRoomAfter === 60_000;
    vi.advanceTimersByTime(room.isThere ? 1_000 : 541_000);
    expect([calls, log.deliveryPaused]).toEqual([["resumed"], false]);
  }
});

test("R8 instances that join under a backlog of slow handlers get their share within 10 s", async () => {
  const space = new Space();
  const handled = new Map<string, number>();
  const ids = new Map<string, number>();
  const instance = async (name: string) => {
    handled.set(name, 0);
    const app = space.app({ concurrency: 10, transport: space.transport({ partitions: 6, sessionTimeout: 10_000 }) });
    app.onEvent("work", { useCase: "scaled" }, async (_, { id }) => {
      ids.set(id, (ids.get(id) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      handled.set(name, (handled.get(name) ?? 0) + 1);
    });
    await app.start();
    return app;
  };
  const first = await instance("first");
  for (let batch = 0; batch < 35; batch += 1)
    await first.newEvents(Array.from({ length: 20 }, (_, payload) => ({ name: "work", payload })));
  await until("the first is busy", () => handled.get("first") === 10);
  await Promise.all([instance("second"), instance("third")]);
  // Half of a fair share from 10 s on is 40 events after 18 s.
  const late = ["second", "third"];
  await until("the others have had theirs", () => late.every((name) => (handled.get(name) ?? 0) >= 40), 18_000);
  expect([...ids.values()].filter((count) => count > 1)).toEqual([]);
});
