import type { DeadLetterStore } from "@papa-events/core/transport";
import type { Network } from "./network.ts";
import type { Link } from "./pipe.ts";

/** The dead letters of a use case, over the network. */
export function networkDeadLetters(
  network: Network,
  useCase: string,
  inner: DeadLetterStore,
  link: Link,
): DeadLetterStore {
  const { history } = network;
  return {
    count: () => link.call(() => inner.count()),
    list: (query) => link.call(() => inner.list(query)),
    get: (id) => link.call(() => inner.get(id)),
    redrive: (ids, revive) =>
      link.call(() =>
        inner.redrive(ids, (letter) => {
          network.countStored(letter.event.id ?? "");
          history.add({ kind: "redrives", useCase, letter: letter.id, event: network.note(letter.event) });
          return revive(letter);
        }),
      ),
    purge: (ids) =>
      link.call(async () => {
        const known = new Set((await inner.list({ limit: 100_000, order: "oldest" })).items.map(({ id }) => id));
        const letters = ids === "all" ? [...known] : ids.filter((id) => known.has(id));
        history.add({ kind: "purges", useCase, letters });
        return inner.purge(ids);
      }),
  };
}
