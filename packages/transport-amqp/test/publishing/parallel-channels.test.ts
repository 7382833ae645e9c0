import { expect, test, vi } from "vitest";
import { ParallelChannels } from "../../src/publishing/parallel-channels.ts";
import type { PublishChannel } from "../../src/publishing/publish-channel.ts";

/** Channels of which `opens` says whether the second one can be opened. */
function channels(opens: boolean) {
  const made: { current: object | undefined; open: () => Promise<void> }[] = [];
  const open = vi.fn(async (channel: { current: object | undefined }) => {
    if (!opens) throw new Error("no more channels are allowed");
    channel.current = {};
  });
  const both = new ParallelChannels(() => {
    const channel = { current: undefined as object | undefined, open: () => open(channel) };
    made.push(channel);
    return channel as unknown as PublishChannel;
  });
  const [first, second] = made;
  if (first === undefined || second === undefined) throw new Error("two channels are made");
  first.current = {};
  return { both, first, second, open };
}

test("who publishes one event after another has one channel", () => {
  const { both, first, open } = channels(true);
  for (let event = 0; event < 3; event += 1) {
    const lane = both.choose();
    expect(lane.channel).toBe(first);
    lane.calls += 1;
    lane.calls -= 1;
  }
  expect(open).not.toHaveBeenCalled();
});

test("who publishes more has a second one, and uses the less busy of both, also when either is lost", async () => {
  const { both, first, second } = channels(true);
  const busy = both.choose();
  busy.calls += 1;
  // While the second is being opened, nothing waits for it.
  expect(both.choose().channel).toBe(first);
  await vi.waitUntil(() => second.current !== undefined);
  const other = both.choose();
  expect(other.channel).toBe(second);
  other.calls += 2;
  expect(both.choose().channel).toBe(first);
  second.current = undefined;
  busy.calls += 2;
  expect(both.choose().channel).toBe(first);
});

test("where the broker allows no second one the first goes on, and it is asked for ever more seldom", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const { both, first, open } = channels(false);
    both.choose().calls += 1;
    for (let event = 0; event < 3; event += 1) {
      expect(both.choose().channel).toBe(first);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(open).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(60_001);
    both.choose();
    expect(open).toHaveBeenCalledTimes(2);
    await new Promise((resolve) => setImmediate(resolve));
    // Each time may cost the connection.
    vi.advanceTimersByTime(60_001);
    both.choose();
    expect(open).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(60_000);
    both.choose();
    expect(open).toHaveBeenCalledTimes(3);
  } finally {
    vi.useRealTimers();
  }
});
