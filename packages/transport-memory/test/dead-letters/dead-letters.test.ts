import type { EncodedEvent } from "@papa-events/core/transport";
import { describe, expect, it } from "vitest";
import { deadLetterStore, QueueDeadLetters } from "../../src/dead-letters/dead-letters.ts";

const MEBIBYTE = 1_048_576;
const event = (id: string, bytes = 1, headers: Record<string, string> = {}): EncodedEvent => ({
  name: "a",
  id,
  time: 0,
  headers,
  body: Buffer.alloc(bytes),
});

function lettersOf(count: number, make: (index: number) => EncodedEvent = (index) => event(`${index}`)) {
  const letters = new QueueDeadLetters("log");
  for (let index = 0; index < count; index += 1) letters.add(`${index}`, make(index));
  const back: EncodedEvent[] = [];
  let connected = true;
  const stored = () => {
    if (!connected) throw new Error("lost");
    return letters;
  };
  const store = deadLetterStore({ stored, putBack: (each) => void back.push(each) });
  const lose = () => {
    connected = false;
  };
  return { letters, store, back, lose };
}

describe("dead letters in memory", () => {
  it("D6 a page holds 16 MiB at most, headers included, and one letter at least", async () => {
    const { store } = lettersOf(5, (index) =>
      index === 1 ? event("1", 1, { stack: "x".repeat(17 * MEBIBYTE) }) : event(`${index}`, 7 * MEBIBYTE),
    );
    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const page = await store.list({ limit: 10, order: "oldest", after });
      pages.push(page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(pages).toEqual([["0"], ["1"], ["2", "3"], ["4"]]);
  });

  it("D6 a letter that is stored again under its id is a new one: behind the others, and not in a pass of before", async () => {
    const { letters, store } = lettersOf(3);
    const seen: string[] = [];
    for await (const { id } of store.scan("oldest")) {
      seen.push(id);
      if (id === "0") letters.add("1", event("again"));
    }
    expect(seen).toEqual(["0", "2"]);
    const { items } = await store.list({ limit: 10, order: "oldest" });
    expect(items.map(({ id }) => id)).toEqual(["0", "2", "1"]);
  });

  it("D6 what is redriven goes in turns, between which others work", async () => {
    const { store } = lettersOf(1_000);
    let turns = 0;
    let redriving = true;
    const work = () => {
      turns += 1;
      if (redriving) setImmediate(work);
    };
    setImmediate(work);
    expect(await store.redrive("all", ({ id }) => event(id))).toBe(1_000);
    redriving = false;
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it("D4 a connection that is lost midway leaves each letter where it was or puts it back, and none in both places", async () => {
    const { letters, store, back, lose } = lettersOf(500);
    const redriving = store.redrive("all", (letter) => {
      if (letter.id === "250") lose();
      return event(letter.id);
    });
    await expect(redriving).rejects.toThrow("lost");
    expect(back.length).toBeGreaterThan(250);
    expect(back.length + letters.size).toBe(500);
    expect(back.filter(({ id }) => letters.get(id) !== undefined)).toEqual([]);
  });

  it("D6 a test that throws ends the call, and takes nothing of the letter that it threw for", async () => {
    const { letters, store } = lettersOf(3);
    const which = ({ id }: { readonly id: string }) => {
      if (id === "1") throw new Error("a test of the user's");
      return true;
    };
    await expect(store.purge(which)).rejects.toThrow("a test of the user's");
    expect(letters.size).toBe(2);
  });
});
