import type { DeadLetterStore, StoredDeadLetter } from "@papa-events/core/transport";
import { changed, isMeant, store, type Variant } from "./variant.ts";

const PAGE = 50;

/** Faults of searching dead letters, and of acting on many of them. */
export const deadLetterFaults: readonly Variant[] = [
  store("D4 a mended payload", "sends a mended letter back as it was", () => (letters) => ({
    redrive: (which, revive, progress) =>
      letters.redrive(
        which,
        (letter) => changed(revive(letter), { body: letter.event.body, text: undefined }),
        progress,
      ),
  })),

  store("D4 redriving all that is killed", "takes all out before it puts any back", () => (letters) => ({
    redrive: async (which, revive, progress) => {
      const all = await read(letters);
      const [first, ...rest] = all.filter((letter) => isMeant(which, letter)).map(({ id }) => id);
      if (first === undefined) return 0;
      await letters.purge(rest);
      return rest.length + (await letters.redrive([first], revive, progress));
    },
  })),

  store("D6 a pass", "goes through by offsets, which shift when letters go", () => (letters) => ({
    scan: async function* (order) {
      for (let offset = 0; ; offset += PAGE) {
        const { items } = await letters.list({ limit: offset + PAGE, order });
        if (items.length <= offset) return;
        yield* items.slice(offset);
      }
    },
  })),

  store("D6 a pass", "goes on to what comes while it goes through", () => (letters) => ({
    scan: async function* (order) {
      let after: string | undefined;
      for (;;) {
        const { items } = await letters.list({ limit: 1, order, after });
        const [item] = items;
        if (item === undefined) return;
        yield item;
        // A cursor of the transport in memory.
        after = String("sequence" in item ? item.sequence : "");
      }
    },
  })),

  store("D6 a pass", "destroys what it has gone through", () => (letters) => ({
    scan: async function* (order, signal) {
      for await (const letter of letters.scan(order, signal)) {
        yield letter;
        await letters.purge([letter.id]);
      }
    },
  })),

  store("D6 2,000 letters:", "goes on though its signal is aborted", () => (letters) => ({
    scan: (order) => letters.scan(order),
    redrive: (which, revive, progress) => letters.redrive(which, revive, { onProgress: progress?.onProgress }),
    purge: (which, progress) => letters.purge(which, { onProgress: progress?.onProgress }),
  })),

  store("D6 what a filter picks", "redrives what fails again while it redrives", () => (letters) => ({
    redrive: async (which, revive, progress) => {
      const done = await letters.redrive(which, revive, progress);
      if (done < 2 || Array.isArray(which)) return done;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return done + (await letters.redrive(which, revive, progress));
    },
  })),

  store("D6 what a filter picks", "stores those that a filter does not pick anew, in another order", () => {
    const reversed = new Set<string>();
    return (letters) => ({
      redrive: async (which, revive, progress) => {
        const before = (await read(letters)).map(({ id }) => id);
        const done = await letters.redrive(which, revive, progress);
        if (typeof which === "function") for (const id of before) reversed.add(id);
        return done;
      },
      list: async (query) => {
        const page = await letters.list(query);
        const turned = page.items.filter(({ id }) => reversed.has(id)).reverse();
        return { ...page, items: page.items.map((item) => (reversed.has(item.id) ? (turned.shift() ?? item) : item)) };
      },
    });
  }),

  store("D6 what a filter picks", "redrives all whatever the filter picks", () => (letters) => ({
    redrive: (which, revive, progress) =>
      letters.redrive(typeof which === "function" ? "all" : which, revive, progress),
  })),

  store("D6 2,000 letters:", "says that it has done what it has only seen", () => (letters) => ({
    purge: (which, progress) =>
      letters.purge(which, {
        signal: progress?.signal,
        onProgress: ({ seen }) => progress?.onProgress?.({ seen, done: seen }),
      }),
  })),

  store("D6 2,000 letters:", "never tells how far it is", () => (letters) => ({
    redrive: (which, revive, progress) => letters.redrive(which, revive, { signal: progress?.signal }),
  })),

  store("D6 a page of large letters", "puts any number of bytes on one page", () => (letters) => ({
    list: async ({ limit, order, after }) => {
      const items: StoredDeadLetter[] = [];
      let next = after;
      do {
        const page = await letters.list({ limit: limit - items.length, order, after: next });
        items.push(...page.items);
        next = page.next;
      } while (next !== undefined && items.length < limit);
      return next === undefined ? { items } : { items, next };
    },
  })),
];

async function read(letters: DeadLetterStore): Promise<readonly StoredDeadLetter[]> {
  const all: StoredDeadLetter[] = [];
  for await (const letter of letters.scan("oldest")) all.push(letter);
  return all;
}
