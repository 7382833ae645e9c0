import type { Cluster, Redis } from "ioredis";
import type { Keys } from "../wire/keys.ts";

/**
 * Finds every use case that the namespace remembers: those declared since there is a record of all, those that have a
 * pattern bound, by any version of this library, and those removed whose dead letters were kept.
 */
export async function knownUseCases(keys: Keys, client: Redis | Cluster): Promise<readonly string[]> {
  const [recorded, bound] = await Promise.all([client.hkeys(keys.useCases), client.hkeys(keys.bindings)]);
  const names = new Set(bound.map((binding) => binding.slice(0, binding.indexOf(" "))));
  const others = recorded.filter((name) => !names.has(name));
  // Nothing may be left of one whose last dead letter is gone.
  const left = await Promise.all(
    others.map((name) => {
      const { queue, waiting, dead } = keys.forUseCase(name);
      return client.exists(queue, waiting, dead);
    }),
  );
  for (const [index, name] of others.entries()) if ((left[index] ?? 0) > 0) names.add(name);
  return [...names].sort();
}
