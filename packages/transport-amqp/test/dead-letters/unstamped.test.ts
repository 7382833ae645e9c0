import type { DeadLetterStore, StoredDeadLetter } from "@papa-events/core/transport";
import { amqp } from "@papa-events/transport-amqp";
import { expect, onTestFinished, test } from "vitest";
import type { DeadLetters } from "../../src/dead-letters/dead-letters.ts";
import { accounts, hasAccounts, policy } from "../support/accounts.ts";
import { declaration, quiet, Space } from "../support/broker.ts";
import { json } from "../support/original.ts";
import { until } from "../support/wait.ts";

const COUNT = 150;
/** So many bytes of them are held at a time, which is a quarter. */
const PART_BYTES = 40_000;
const inOrder = Array.from({ length: COUNT }, (_, n) => n);

/** Dead letters as the original leaves them: without an id and a position. */
async function withLettersOfTheOriginal(space: Space): Promise<void> {
  const connection = await space.connect();
  await connection.declarations.declare([declaration("uc", "x")]);
  const channel = await space.channel();
  for (let n = 0; n < COUNT; n += 1)
    channel.publish("", space.name("uc.dlq"), json(n), {
      headers: { exception: "ValueError: no" },
      messageId: `m${n}`,
    });
  await channel.waitForConfirms();
}

const numberOf = ({ event }: StoredDeadLetter) => Number(Buffer.from(event.body).toString());

async function scanned(letters: DeadLetterStore, order: "newest" | "oldest"): Promise<number[]> {
  const found: number[] = [];
  for await (const letter of (letters as DeadLetters).scan(order, undefined, PART_BYTES)) found.push(numberOf(letter));
  return found;
}

async function paged(letters: DeadLetterStore, order: "newest" | "oldest"): Promise<number[]> {
  const found: number[] = [];
  let after: string | undefined;
  do {
    const page = await letters.list({ limit: 60, order, after });
    found.push(...page.items.map(numberOf));
    after = page.next;
  } while (after !== undefined && found.length <= COUNT);
  return found;
}

test.for(["oldest", "newest"] as const)(
  "D6 a scan in several parts through letters of the original finds each once, %s first",
  async (order) => {
    const space = new Space();
    await withLettersOfTheOriginal(space);
    const letters = (await space.connect({ operator: true })).deadLetters("uc");
    const expected = order === "oldest" ? inOrder : inOrder.toReversed();
    expect(await scanned(letters, order)).toEqual(expected);
    expect(await paged(letters, order)).toEqual(expected);
    expect(await letters.count()).toBe(COUNT);
  },
);

test("D6 letters of the original that come between looks are behind those that were there", async () => {
  const space = new Space();
  await withLettersOfTheOriginal(space);
  const letters = (await space.connect({ operator: true })).deadLetters("uc");
  expect(await paged(letters, "oldest")).toEqual(inOrder);
  const channel = await space.channel();
  channel.publish("", space.name("uc.dlq"), json(COUNT), { messageId: "later" });
  await channel.waitForConfirms();
  expect((await letters.list({ limit: 1, order: "newest" })).items.map(numberOf)).toEqual([COUNT]);
  expect(await paged(letters, "oldest")).toEqual([...inOrder, COUNT]);
});

test.runIf(hasAccounts)(
  "D6 an account that may only read, and so leaves letters of the original as they are, finds each once as well",
  async () => {
    const space = new Space();
    await withLettersOfTheOriginal(space);
    const url = await accounts(space);
    const reading = await amqp(url("reads")).connect({
      appName: "reads",
      operator: true,
      logger: quiet,
      maxHeldBytes: 1_000_000,
      onStatus: () => {},
      onProblem: () => {},
    });
    onTestFinished(() => reading.close());
    const letters = reading.deadLetters("uc");
    expect(await scanned(letters, "newest")).toEqual(inOrder.toReversed());
    expect(await paged(letters, "oldest")).toEqual(inOrder);
    await until("all are back", async () => (await letters.count()) === COUNT);
  },
);

test.runIf(hasAccounts)(
  "D6, L7 a queue that takes no copies shows them all the same",
  { timeout: 120_000 },
  async () => {
    const space = new Space();
    await withLettersOfTheOriginal(space);
    await policy(space, "^PREFIX/uc\\.dlq$", { "max-length": 1, overflow: "reject-publish" });
    const letters = (await space.connect({ operator: true })).deadLetters("uc");
    expect(await scanned(letters, "newest")).toEqual(inOrder.toReversed());
    expect((await paged(letters, "oldest")).sort((a, b) => a - b)).toEqual(inOrder);
  },
);
