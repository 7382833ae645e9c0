import { expect, test } from "vitest";
import { HeartbeatPace } from "../../src/consuming/heartbeat-pace.ts";

const settle = (pace: HeartbeatPace, count: number) => {
  for (let done = 0; done < count; done += 1) pace.settled();
};

test("R8 a member that handles many events soon notices who comes and leaves, an idle one within a second", () => {
  const pace = new HeartbeatPace(3_000, false);
  pace.joined();
  expect([pace.next(), pace.next(), pace.next()]).toEqual([200, 1_000, 1_000]);
  // In a second.
  settle(pace, 20);
  expect(pace.next()).toBe(200);
  // In a fifth of one.
  settle(pace, 4);
  expect(pace.next()).toBe(200);
  settle(pace, 3);
  expect(pace.next()).toBe(1_000);
  pace.joined();
  expect(pace.next()).toBe(200);
});

test("T1 who brings back retries notices at once, also while none is due here", () => {
  const pace = new HeartbeatPace(3_000, true);
  pace.joined();
  expect([pace.next(), pace.next(), pace.next()]).toEqual([200, 200, 200]);
});

test("L3 heartbeats come several times in a session, however short it is", () => {
  const pace = new HeartbeatPace(100, false);
  expect([pace.next(), pace.next()]).toEqual([100, 100]);
});
