import { describe, expect, it } from "vitest";
import { QUICK_START_LINES } from "./quick-start-lines.ts";
import { type Run, runExample } from "./run-example.ts";

/** Ended well, said nothing on stderr; gives the lines of its output. */
function linesOf({ out, err, code }: Run): string[] {
  expect({ err, code }).toEqual({ err: "", code: 0 });
  return out.trimEnd().split("\n");
}

describe.concurrent("each example ends by itself and shows what it promises", () => {
  it("quick-start: one event, a wildcard, and an event that a handler returned", async () => {
    const lines = linesOf(await runExample("quick-start.ts"));
    expect(lines).toEqual(QUICK_START_LINES);
  });

  it("typed-catalogue: handlers tell events apart, and a payload of the wrong shape is not published", async () => {
    const lines = linesOf(await runExample("typed-catalogue.ts"));
    expect(lines.toSorted()).toEqual([
      "A-1: cancelled, sold out",
      "A-2: packed, 1 kg",
      "A-2: we have it, all 2 items",
      expect.stringMatching(/^The payload of "order.placed" is refused by its schema: items: /),
    ]);
  });

  it("retries-and-dead-letters: an hour of retries takes no time", async () => {
    const lines = linesOf(await runExample("retries-and-dead-letters.ts"));
    expect(lines).toEqual(["Dead after 4 attempts: The bank does not answer", "Redriven, and paid"]);
  });

  it("testing-a-use-case: a handler is tested without an app", async () => {
    const lines = linesOf(await runExample("testing-a-use-case.ts"));
    expect(lines).toEqual([expect.stringContaining("is refused: name: "), "send_welcome behaves"]);
  });

  it("around-handlers: after a crash the work is not done again, and the events it returned are not lost", async () => {
    const lines = linesOf(await runExample("around-handlers.ts"));
    expect(lines).toEqual([
      "withdraw, attempt 1: failed",
      "withdraw, attempt 2: done",
      "The process died",
      "A duplicate: not done again, and its events are returned again",
      "withdraw, attempt 2: done",
      'Receipt: {"balance":70}',
      "print_receipt, attempt 1: done",
    ]);
  });

  it("classes: one mailer for all deliveries, the rest made and disposed of for each", async () => {
    const lines = linesOf(await runExample("classes.ts"));
    expect(lines.toSorted()).toEqual([
      "Disposed of what this delivery needed",
      "Disposed of what this delivery needed",
      "Mail 1 to Ada: welcome (user.created)",
      "Mail 2 to Grace: welcome (user.created)",
    ]);
  });
});
