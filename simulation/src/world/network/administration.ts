import type { Administration, DeadLetterStore, Selection, StoredDeadLetter } from "@papa-events/core/transport";
import type { Network } from "./network.ts";
import type { Link } from "./pipe.ts";

/** What operators do, over the network. */
export function networkAdministration(inner: Administration, link: Link): Administration {
  return {
    useCases: () => link.call(() => inner.useCases()),
    paused: () => link.call(() => inner.paused()),
    pause: (useCase) => link.call(() => inner.pause(useCase)),
    resume: (useCase) => link.call(() => inner.resume(useCase)),
    remove: (useCase, deadLetters) => link.call(() => inner.remove(useCase, deadLetters)),
    tail: (patterns, listener) => link.call(() => inner.tail(patterns, listener)),
    diagnose: () => link.call(() => inner.diagnose()),
  };
}

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
    scan: async function* (order, signal) {
      yield* await link.call(() => collect(inner.scan(order, signal)));
    },
    redrive: (which, revive, progress) =>
      link.call(() =>
        inner.redrive(
          which,
          (letter) => {
            network.countStored(letter.event.id ?? "");
            history.add({ kind: "redrives", useCase, letter: letter.id, event: network.note(letter.event) });
            return revive(letter);
          },
          progress,
        ),
      ),
    purge: (which, progress) =>
      link.call(async () => {
        const stored = await collect(inner.scan("oldest"));
        const letters = stored.filter((letter) => isMeant(letter, which)).map(({ id }) => id);
        history.add({ kind: "purges", useCase, letters });
        return inner.purge(which, progress);
      }),
  };
}

function isMeant(letter: StoredDeadLetter, which: Selection): boolean {
  if (typeof which === "function") return which(letter);
  return which === "all" || which.includes(letter.id);
}

async function collect(letters: AsyncIterable<StoredDeadLetter>): Promise<StoredDeadLetter[]> {
  const collected: StoredDeadLetter[] = [];
  for await (const letter of letters) collected.push(letter);
  return collected;
}
