import { expect, test, vi } from "vitest";
import { ParallelChannels } from "../../src/publishing/parallel-channels.ts";
import type { PublishChannel } from "../../src/publishing/publish-channel.ts";

/** Channels of which `opens` says whether another than the first can be opened. */
function channels(opens: boolean) {
  const made: { current: object | undefined; open: () => Promise<void> }[] = [];
  const open = vi.fn(async (channel: { current: object | undefined }) => {
    if (!opens) throw new Error("no more channels are allowed");
    channel.current = {};
  });
  const all = new ParallelChannels(() => {
    const channel = { current: undefined as object | undefined, open: () => open(channel) };
    made.push(channel);
    return channel as unknown as PublishChannel;
  });
  const [first, second] = made;
  if (first === undefined || second === undefined) throw new Error("several channels are made");
  first.current = {};
  return { all, first, second, made, open };
}

test("who publishes one event after another has one channel", () => {
  const { all, first, open } = channels(true);
  for (let event = 0; event < 3; event += 1) {
    const counted = all.choose();
    expect(counted.channel).toBe(first);
    counted.calls += 1;
    counted.calls -= 1;
  }
  expect(open).not.toHaveBeenCalled();
});

test("who publishes more has another one, and uses the less busy of both, also when either is lost", async () => {
  const { all, first, second } = channels(true);
  const busy = all.choose();
  busy.calls += 1;
  // While another is being opened, nothing waits for it.
  expect(all.choose().channel).toBe(first);
  await vi.waitUntil(() => second.current !== undefined);
  const other = all.choose();
  expect(other.channel).toBe(second);
  other.calls += 2;
  expect(all.choose().channel).toBe(first);
  second.current = undefined;
  busy.calls += 2;
  expect(all.choose().channel).toBe(first);
});

test("there are no more than four, however much is published", async () => {
  const { all, made, open } = channels(true);
  for (let call = 0; call < 20; call += 1) {
    all.choose().calls += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(made.filter(({ current }) => current !== undefined)).toHaveLength(4);
  expect(open).toHaveBeenCalledTimes(3);
});

test("where the broker allows no other one the first goes on, and it is asked for ever more seldom", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const { all, first, open } = channels(false);
    all.choose().calls += 1;
    // At the same time, and later.
    for (let event = 0; event < 3; event += 1) expect(all.choose().channel).toBe(first);
    for (let event = 0; event < 3; event += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(all.choose().channel).toBe(first);
    }
    expect(open).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(60_001);
    all.choose();
    expect(open).toHaveBeenCalledTimes(2);
    await new Promise((resolve) => setImmediate(resolve));
    // Each time may cost the connection.
    vi.advanceTimersByTime(60_001);
    all.choose();
    expect(open).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(60_000);
    all.choose();
    expect(open).toHaveBeenCalledTimes(3);
  } finally {
    vi.useRealTimers();
  }
});
