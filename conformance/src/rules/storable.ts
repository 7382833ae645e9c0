import assert from "node:assert/strict";
import { Calls } from "../rig/calls.ts";
import { declaration } from "../rig/declaring.ts";
import type { Rig } from "../rig/rig.ts";
import { type RuleTest, rule } from "../rule.ts";
import { encoded, numbers } from "./events.ts";

type TextHeaders = Readonly<Record<string, string>>;

/** What the library's own headers of an event have beside those of its publisher. */
const MAX_PAYLOAD_BYTES = 1_048_576;

/** D5: what is given up can always be stored, whatever it brings along. */
export const storable: readonly RuleTest[] = [
  rule("D5", "one header of 47 KiB and a long error: retried, kept, redriven, and what was cut is said", (rig) =>
    storesAll(rig, { note: "n".repeat(47 * 1_024) }, "{}"),
  ),

  rule("D5", "two thousand small headers and a long error: retried, kept and redriven", (rig) =>
    storesAll(rig, manyHeaders(2_000), "{}"),
  ),

  rule("D5", "a payload of the full size with headers and a long error: no byte of it is cut", (rig) =>
    storesAll(rig, manyHeaders(500), JSON.stringify("x".repeat(MAX_PAYLOAD_BYTES - 2))),
  ),
];

function manyHeaders(count: number): TextHeaders {
  return Object.fromEntries(numbers(count).map((number) => [`h-${number}`, `value ${number}`]));
}

/** An event whose handler fails with a long error, from its first attempt to its redrive. */
async function storesAll(rig: Rig, headers: TextHeaders, body: string): Promise<void> {
  const calls = new Calls(() => {
    throw longError();
  });
  const connection = await rig.connect();
  await connection.declarations.declare([declaration("given_up", "full")]);
  const event = encoded("full", Buffer.from(body), headers);
  assert.deepEqual(await connection.publish([event]), []);
  const app = rig.app({ retries: 1 }).onEvent("full", { useCase: "given_up" }, calls.handler);
  await app.start();
  const letters = app.deadLetters("given_up");
  await rig.until("it is a dead letter", async () => (await letters.count()) === 1);
  assert.deepEqual(calls.attempts, [1, 2]);
  const [letter] = (await letters.list()).items;
  assert(letter !== undefined);
  assert.deepEqual(
    [letter.eventId, letter.eventName, letter.reason, letter.attempts],
    [event.id, "full", "retries-exhausted", 2],
  );
  assert(Buffer.from(letter.body).equals(Buffer.from(body)), "its payload is not what it was");
  assert.match(letter.error.message, /^it failed/);
  const missing = Object.keys(headers).filter((name) => letter.headers[name] !== headers[name]);
  const cut = letter.headers.papa_cut ?? "";
  if (missing.length > 0) assert.match(cut, /headers/, `${missing.length} headers are gone, and it does not say so`);
  if (letter.error.stack.length < 8_000) assert.match(cut, /stack/, "the stack was cut, and it does not say so");
  assert.equal(await letters.redrive("all"), 1);
  await rig.until("it is a dead letter again", async () => calls.count === 4 && (await letters.count()) === 1);
  await rig.untilEmpty(app);
  assert.deepEqual(new Set(calls.ids), new Set([event.id]));
  assert.deepEqual(calls.attempts, [1, 2, 1, 2]);
}

/** Far longer than what is kept of an error. */
function longError(): Error {
  const error = new Error(`it failed: ${"m".repeat(100_000)}`);
  error.stack = `Error: it failed\n${"    at somewhere (file.ts:1:1)\n".repeat(5_000)}`;
  return error;
}
