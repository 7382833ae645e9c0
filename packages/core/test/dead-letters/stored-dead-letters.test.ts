import { describe, expect, it } from "vitest";
import { StoredDeadLetters } from "../../src/dead-letters/stored-dead-letters.ts";
import type { DeadLetterStore, EncodedEvent, Progress, StoredDeadLetter } from "../../src/transport.ts";

const letter = (id: string, name: string, body = "1", headers: Record<string, string> = {}): StoredDeadLetter => ({
  id,
  event: { name, id: `e-${id}`, headers: { papa_reason: "rejected", ...headers }, body: Buffer.from(body) },
});

/** A store that selects as a transport's would, and notes what goes back. */
class Store implements DeadLetterStore {
  readonly letters: StoredDeadLetter[];
  readonly redriven: EncodedEvent[] = [];
  scans: unknown[] = [];
  progress: Progress | undefined;

  constructor(letters: StoredDeadLetter[]) {
    this.letters = letters;
  }

  count = async () => this.letters.length;
  list = async () => ({ items: this.letters });
  get = async (id: string) => this.letters.find((each) => each.id === id);

  async *scan(order: "newest" | "oldest"): AsyncGenerator<StoredDeadLetter> {
    this.scans.push(order);
    yield* this.letters;
  }

  redrive: DeadLetterStore["redrive"] = async (which, revive, progress) => {
    this.progress = progress;
    const chosen = this.#choose(which);
    this.redriven.push(...chosen.map(revive));
    return chosen.length;
  };

  purge: DeadLetterStore["purge"] = async (which) => this.#choose(which).length;

  #choose(which: Parameters<DeadLetterStore["purge"]>[0]): StoredDeadLetter[] {
    if (which === "all") return this.letters;
    return this.letters.filter((each) => (typeof which === "function" ? which(each) : which.includes(each.id)));
  }
}

function stored(...letters: StoredDeadLetter[]) {
  const store = new Store(letters);
  return { store, letters: new StoredDeadLetters("log", async () => store) };
}

describe("D6 search", () => {
  it("gives what the filter finds, in the order asked for", async () => {
    const { store, letters } = stored(
      letter("1", "user.created"),
      letter("2", "order.paid"),
      letter("3", "user.deleted"),
    );
    const found: string[] = [];
    for await (const { id } of letters.search({ event: "user.*", order: "oldest" })) found.push(id);
    for await (const { id } of letters.search()) found.push(id);
    expect(found).toEqual(["1", "3", "1", "2", "3"]);
    expect(store.scans).toEqual(["oldest", "newest"]);
  });

  it("ends when its signal is aborted", async () => {
    const { letters } = stored(letter("1", "a"), letter("2", "a"));
    const stop = new AbortController();
    const found: string[] = [];
    for await (const { id } of letters.search({ signal: stop.signal })) {
      found.push(id);
      stop.abort();
    }
    expect(found).toEqual(["1"]);
  });

  it.each([{ order: "up" }, { signal: true }, { where: {} }])("refuses %j at the call", (options) => {
    const { letters } = stored();
    expect(() => letters.search(options as never)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});

describe("D6 redrive and purge by a filter", () => {
  it("take what it finds, and tell of progress", async () => {
    const { store, letters } = stored(letter("1", "user.created"), letter("2", "order.paid"));
    const { signal } = new AbortController();
    const onProgress = () => {};
    expect(await letters.redrive({ where: { event: "user.#" } }, { onProgress, signal })).toBe(1);
    expect(store.redriven.map(({ name }) => name)).toEqual(["user.created"]);
    expect(store.progress).toEqual({ onProgress, signal });
    expect(await letters.purge({ where: { reason: "rejected" } })).toBe(2);
  });

  it.each([{}, { event: undefined, text: undefined }])("refuse %j, which would mean all of them", async (where) => {
    const { letters } = stored();
    const refused = { code: "invalid-option", message: expect.stringContaining('for all of them give "all"') };
    await expect(letters.redrive({ where })).rejects.toMatchObject(refused);
    await expect(letters.purge({ where })).rejects.toMatchObject(refused);
  });

  it.each([{ onProgress: 1 }, { signal: {} }, { progress: () => {} }])("refuse the options %j", async (options) => {
    const { letters } = stored();
    await expect(letters.redrive("all", options as never)).rejects.toMatchObject({ code: "invalid-option" });
    await expect(letters.purge("all", options as never)).rejects.toMatchObject({ code: "invalid-option" });
  });
});

describe("D4 a mended payload", () => {
  it("goes back in place of the letter's own, with the same id and attempt 1, and the headers say so", async () => {
    const { store, letters } = stored(letter("1", "a", "{broken", { papa_attempt: "3", color: "red" }));
    expect(await letters.redrive(["1"], { payload: { n: 2 } })).toBe(1);
    const [event] = store.redriven;
    expect([event?.id, Buffer.from(event?.body ?? []).toString()]).toEqual(["e-1", '{"n":2}']);
    expect(event?.headers).toMatchObject({ color: "red", papa_redriven: "1" });
    expect(Date.parse(event?.headers.papa_mended ?? "")).toBeGreaterThan(0);
    expect(event?.headers).not.toHaveProperty("papa_attempt");
  });

  it("may be made of each letter; undefined leaves it as it is", async () => {
    const { store, letters } = stored(letter("1", "a", "1"), letter("2", "a", "2"));
    await letters.redrive("all", {
      payload: ({ payload }) => (payload === 1 ? "one" : undefined),
    });
    expect(store.redriven.map(({ body }) => Buffer.from(body).toString())).toEqual(['"one"', "2"]);
    expect(store.redriven.map(({ headers }) => "papa_mended" in headers)).toEqual([true, false]);
  });

  it("that has no JSON is refused before anything goes back", async () => {
    const { store, letters } = stored(letter("1", "a"));
    await expect(letters.redrive("all", { payload: 1n })).rejects.toMatchObject({ code: "payload-not-json" });
    expect(store.redriven).toEqual([]);
  });
});
