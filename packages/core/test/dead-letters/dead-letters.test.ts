import { describe, expect, it } from "vitest";
import { deadLetters, PapaError } from "../../src/index.ts";
import type { Connection, DeadLetterQuery, Transport } from "../../src/transport.ts";
import { FakeTransport, thrownBy } from "../support.ts";

/** A transport whose store notes what it is asked. */
function noting(failures: number) {
  const log: unknown[] = [];
  const fake = new FakeTransport();
  let left = failures;
  const transport: Transport = {
    name: "noting",
    connect: async (options): Promise<Connection> => {
      log.push("connect");
      if (left-- > 0) throw new PapaError("connection-failed", "not yet", { transport: "noting" }, { retryable: true });
      return {
        ...(await fake.connect(options)),
        deadLetters: (useCase) => ({
          count: async () => log.push(`count ${useCase}`),
          list: async (query: DeadLetterQuery) => {
            log.push(query);
            return { items: [] };
          },
          get: async () => undefined,
          async *scan() {},
          redrive: async (ids) => log.push(["redrive", ids]),
          purge: async (ids) => log.push(["purge", ids]),
        }),
        close: async () => void log.push("close"),
      };
    },
  };
  return { transport, log };
}

describe("D2 dead letters without an app", () => {
  it("connect at the first call, once, and end with close()", async () => {
    const { transport, log } = noting(0);
    const letters = deadLetters(transport, "log");
    expect(log).toEqual([]);
    await Promise.all([letters.count(), letters.count()]);
    expect(log).toEqual(["connect", "count log", "count log"]);
    await letters.close();
    await letters.close();
    expect(log.filter((each) => each === "close")).toEqual(["close"]);
  });

  it("close() without a call connects to nothing", async () => {
    const { transport, log } = noting(0);
    await deadLetters(transport, "log").close();
    expect(log).toEqual([]);
  });

  it("await using ends them", async () => {
    const { transport, log } = noting(0);
    {
      await using letters = deadLetters(transport, "log");
      await letters.count();
    }
    expect(log.at(-1)).toBe("close");
  });

  it("a failed connection is tried again at the next call", async () => {
    const { transport, log } = noting(1);
    const letters = deadLetters(transport, "log");
    await expect(letters.count()).rejects.toMatchObject({ code: "connection-failed" });
    await letters.count();
    expect(log).toEqual(["connect", "connect", "count log"]);
    await letters.close();
  });

  it("refuse a bad name at the call", () => {
    expect(thrownBy(() => deadLetters(new FakeTransport(), "log.dlq"))).toMatchObject({ code: "invalid-use-case" });
  });
});

describe("D2 the arguments", () => {
  it("limit is 50 and order the newest first unless set", async () => {
    const { transport, log } = noting(0);
    await using letters = deadLetters(transport, "log");
    await letters.list();
    await letters.list({ limit: 1_000, after: "7", order: "oldest" });
    await letters.list({ limit: undefined, after: undefined, order: undefined });
    expect(log.slice(1)).toEqual([
      { limit: 50, after: undefined, order: "newest" },
      { limit: 1_000, after: "7", order: "oldest" },
      { limit: 50, after: undefined, order: "newest" },
    ]);
  });

  it.each<[unknown, string]>([
    [{ limit: 0 }, "list: limit: 0 is not a whole number from 1 to 1000."],
    [{ limit: 1_001 }, "list: limit: 1001 is not a whole number from 1 to 1000."],
    [{ order: "desc" }, 'list: order: "desc" is neither "newest" nor "oldest".'],
    [{ after: 7 }, "list: after: the `next` of the page before is needed."],
    [{ page: 2 }, 'list: unknown option "page"; there are limit, after, order.'],
    [null, "list: options are an object with limit, after, order."],
  ])("list(%j) is refused before the broker is asked", async (options, message) => {
    const { transport, log } = noting(0);
    const letters = deadLetters(transport, "log");
    await expect(letters.list(options as never)).rejects.toMatchObject({ code: "invalid-option", message });
    expect(log).toEqual([]);
  });

  it.each([undefined, null, "17", "ALL", [1], [["17"]], {}])("redrive and purge refuse %j for ids", async (ids) => {
    const { transport, log } = noting(0);
    const letters = deadLetters(transport, "log");
    const message = (call: string) => `${call}: ids: a list of dead-letter ids, { where: ... } or "all" is needed.`;
    await expect(letters.redrive(ids as never)).rejects.toMatchObject({
      code: "invalid-option",
      message: message("redrive"),
    });
    await expect(letters.purge(ids as never)).rejects.toMatchObject({
      code: "invalid-option",
      message: message("purge"),
    });
    expect(log).toEqual([]);
  });
});
