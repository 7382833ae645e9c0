import { expect, onTestFinished, test, vi } from "vitest";
import type { Cluster } from "../../src/client/cluster.ts";
import { Bindings } from "../../src/declarations/bindings.ts";
import { Discovery } from "../../src/declarations/discovery.ts";
import { EventTopics } from "../../src/declarations/event-topics.ts";
import type { Registry } from "../../src/declarations/registry.ts";
import type { Topology } from "../../src/declarations/topology.ts";
import { Names } from "../../src/wire/names.ts";

/** How often an app with these patterns lists the topics of the cluster within half a minute. */
async function listingsWith(...patterns: readonly string[]): Promise<number> {
  let listings = 0;
  const names = new Names("papa");
  const cluster = {
    names,
    logger: console,
    retried: (action: () => Promise<unknown>) => action(),
    refresh: async () => {
      listings += 1;
      return { topics: new Map([["papa.user", {}]]) };
    },
  } as unknown as Cluster;
  const bindings = new Bindings(patterns.map((pattern) => [pattern, {}] as const));
  const topics = new EventTopics(names, new Map(), false);
  const registry = { refresh: async () => {}, bindings: () => bindings, topics } as unknown as Registry;
  const discovery = new Discovery(cluster, registry, {} as Topology);
  let polls = 0;
  discovery.watch(
    () => ["one"],
    () => {
      polls += 1;
    },
  );
  await vi.advanceTimersByTimeAsync(30_000);
  discovery.close();
  expect(polls).toBe(30);
  return listings;
}

/** A listing of 5,000 topics takes 74 ms. */
test("on a wide cluster only wildcards in the first word need every topic each second", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  expect(await listingsWith("user.*", "order.#")).toBe(3);
  expect(await listingsWith("user.*", "#")).toBe(30);
});
