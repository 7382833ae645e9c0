import { memory } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { rejected, withDeadLetters } from "../../support/broker.ts";
import { documents, papa } from "../../support/papa.ts";

const time = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);
const body = Buffer.from('{"n":1}').toString("base64");

const letter = {
  id: expect.any(String),
  eventId: expect.any(String),
  useCase: "send_welcome",
  eventName: "user.created",
  payload: { n: 1 },
  body,
  headers: expect.objectContaining({ papa_reason: "retries-exhausted" }),
  reason: "retries-exhausted",
  error: { name: "Error", message: "no route to host", stack: expect.any(String) },
  attempts: 1,
  firstFailedAt: time,
  lastFailedAt: time,
};

/** Three that failed in three ways, one of them with all that a terminal should not see. */
async function threeKinds() {
  const transport = await withDeadLetters([{ n: 1 }]);
  await withDeadLetters([{ n: 2 }], { transport, event: "user.deleted", fail: () => rejected("card expired") });
  const evil = "\u001b]0;owned\u0007\u001b[2J\u202e";
  return withDeadLetters([{ [evil]: evil }], { transport, fail: () => new TypeError(`bad ${evil}\nsecond line`) });
}

describe("dlq list", () => {
  it("as JSON has one dead letter a line, the newest first", async () => {
    const transport = await withDeadLetters([{ n: 0 }, { n: 1 }]);
    const { stdout } = await papa(["dlq", "list", "send_welcome", "--json"], { transport });
    const [first, second] = documents(stdout);
    expect(first).toEqual(letter);
    expect(second).toMatchObject({ payload: { n: 0 } });
    const oldest = await papa(["dlq", "list", "send_welcome", "--json", "--oldest", "--limit", "1"], { transport });
    expect(documents(oldest.stdout)).toMatchObject([{ payload: { n: 0 } }]);
  });

  it.each([
    ["--event", "*.deleted", [2]],
    ["--reason", "rejected", [2]],
    ["--text", "NO ROUTE", [1]],
    ["--since", "1h", [undefined, 2, 1]],
    ["--until", "1h", []],
  ])("D6 searches by %s %s", async (option, value, found) => {
    const transport = await threeKinds();
    const { code, stdout } = await papa(["dlq", "list", "send_welcome", "--json", option, value], { transport });
    expect(documents(stdout).map((item) => (item as { payload: { n?: number } }).payload.n)).toEqual(found);
    expect(code).toBe(found.length > 0 ? 0 : 1);
  });

  it("lists more than a page of the broker's", async () => {
    const transport = await withDeadLetters(Array.from({ length: 1_100 }, (_, n) => ({ n })));
    const { stdout } = await papa(["dlq", "list", "send_welcome", "--limit", "1050"], { transport });
    expect(stdout.split("\n")).toHaveLength(1_051);
  });

  it("shows what a terminal would obey", async () => {
    const transport = await threeKinds();
    for (const terminal of [true, false]) {
      const { stdout } = await papa(["dlq", "list", "send_welcome"], { transport, terminal, env: { NO_COLOR: "1" } });
      expect(stdout).toContain("TypeError: bad \\x1b]0;owned\\x0");
      expect(stdout.replaceAll(/[\n\t]/g, "")).toMatch(/^[ -~…]*$/);
    }
  });

  it("of a use case without any is empty and fine, of no use case an error", async () => {
    const transport = await withDeadLetters([]);
    expect(await papa(["dlq", "list", "send_welcome"], { transport })).toMatchObject({ code: 0, stdout: "" });
    expect(await papa(["dlq", "list", "nobody"], { transport })).toMatchObject({ code: 1, stdout: "" });
  });
});

describe("dlq show", () => {
  it("as JSON is one document", async () => {
    const transport = await withDeadLetters([{ n: 1 }]);
    const [{ id }] = documents((await papa(["dlq", "list", "send_welcome", "--json"], { transport })).stdout) as [
      { id: string },
    ];
    expect(documents((await papa(["dlq", "show", "send_welcome", id, "--json"], { transport })).stdout)).toEqual([
      letter,
    ]);
  });

  it("is readable: payload, headers, error and stack, and nothing that a terminal would obey", async () => {
    const transport = await threeKinds();
    const [{ id }] = documents((await papa(["dlq", "list", "send_welcome", "--json"], { transport })).stdout) as [
      { id: string },
    ];
    const { stdout } = await papa(["dlq", "show", "send_welcome", id], {
      transport,
      terminal: true,
      env: { NO_COLOR: "1" },
    });
    expect(stdout).toContain('payload\n  {\n    "\\u001b]0;owned\\u0007\\u001b[2J\\u202e": ');
    expect(stdout).toContain("stack\n  TypeError: bad \\x1b]0;owned");
    expect(stdout).toContain("headers\n  content-type: application/json");
    expect(stdout.replaceAll("\n", "")).toMatch(/^[ -~]*$/);
  });
});

describe("dlq summary", () => {
  it("groups by use case, reason, error and event, the largest first", async () => {
    const transport = await withDeadLetters([{ n: 1 }, { n: 2 }]);
    await withDeadLetters([{ n: 3 }], {
      transport,
      useCase: "bill",
      event: "user.deleted",
      fail: () => rejected("no card"),
    });
    const { stdout } = await papa(["dlq", "summary", "--json"], { transport });
    const group = { reason: "retries-exhausted", error: "Error: no route to host", first: time, last: time };
    expect(documents(stdout)).toEqual([
      {
        groups: [
          { ...group, useCase: "send_welcome", event: "user.created", count: 2 },
          {
            ...group,
            useCase: "bill",
            reason: "rejected",
            error: expect.stringContaining("no card"),
            event: "user.deleted",
            count: 1,
          },
        ],
      },
    ]);
    const one = await papa(["dlq", "summary", "bill", "--json"], { transport });
    expect(documents(one.stdout)).toMatchObject([{ groups: [{ useCase: "bill", count: 1 }] }]);
    const filtered = await papa(["dlq", "summary", "--reason", "crash-loop"], { transport });
    expect(filtered).toMatchObject({ code: 1, stdout: "" });
  });

  it("of a healthy namespace is empty and fine", async () => {
    expect(await papa(["dlq", "summary", "--json"], { transport: memory() })).toEqual({
      code: 0,
      stdout: '{"groups":[]}\n',
      stderr: "",
    });
  });
});

describe("dlq export", () => {
  it("writes JSON lines, the oldest first, whether or not --json is given", async () => {
    const transport = await withDeadLetters([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const plain = await papa(["dlq", "export", "send_welcome"], { transport });
    const json = await papa(["dlq", "export", "send_welcome", "--json"], { transport });
    expect(plain).toEqual(json);
    expect(documents(plain.stdout)).toMatchObject([letter, { payload: { n: 2 } }, { payload: { n: 3 } }]);
    expect(
      documents((await papa(["dlq", "export", "send_welcome", "--limit", "2"], { transport })).stdout),
    ).toHaveLength(2);
    expect(await papa(["dlq", "export", "send_welcome", "--text", "nothing"], { transport })).toMatchObject({
      code: 1,
    });
  });
});
