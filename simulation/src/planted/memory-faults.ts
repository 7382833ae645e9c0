import type { PlantedFault } from "./planted-fault.ts";

const QUEUE = "packages/transport-memory/src/consuming/queue.ts";
const SUBSCRIBER = "packages/transport-memory/src/consuming/subscriber.ts";
const DEAD_LETTERS = "packages/transport-memory/src/dead-letters/dead-letters.ts";

/** Faults in the broker. */
export const memoryFaults: readonly PlantedFault[] = [
  {
    name: "a retry comes before its delay is over",
    rules: ["T2"],
    file: QUEUE,
    find: "this.#clock.after(delay, () => {",
    replace: "this.#clock.after(delay / 2, () => {",
  },
  {
    name: "one of the events of a dead process is lost",
    rules: ["T3", "H1"],
    file: QUEUE,
    find: "this.#return(messages, unexplained ? 1 : 0);",
    replace: "this.#return(unexplained ? messages.slice(1) : messages, unexplained ? 1 : 0);",
  },
  {
    name: "a clean stop counts as a death",
    rules: ["T6"],
    file: QUEUE,
    find: "this.#return(messages, unexplained ? 1 : 0);",
    replace: "this.#return(messages, 1);",
  },
  {
    name: "a dead process's events are handed out twice",
    rules: ["H3", "R2"],
    file: QUEUE,
    find: "      subscriber.deliver(next);",
    replace: "      subscriber.deliver(next);\n      if (next.redeliveries === 1) this.add(next.event);",
  },
  {
    name: "nobody is woken when a place is free again",
    rules: ["T3"],
    file: QUEUE,
    find: "    this.settled += 1;\n    this.wake();",
    replace: "    this.settled += 1;",
  },
  {
    name: "one more is handed out than was asked for",
    rules: ["H9"],
    file: SUBSCRIBER,
    find: "this.#unsettled.length >= this.#readAhead",
    replace: "this.#unsettled.length > this.#readAhead",
  },
  {
    name: "the bytes of what is lost stay counted",
    rules: ["T3"],
    file: SUBSCRIBER,
    find: "    for (const { event } of messages) this.#held.giveBack(sizeOf(event));\n",
    replace: "",
  },
  {
    name: "what a lost claim returned is published",
    rules: ["R2"],
    file: SUBSCRIBER,
    find: "    if (!this.has(message)) return false;",
    replace:
      '    if (!this.has(message)) {\n      if (settlement.kind === "done") this.#publish(settlement.outputs);\n      return false;\n    }',
  },
  {
    name: "an event that two patterns match is stored twice",
    rules: ["R2", "H3"],
    file: "packages/core/src/routing/pattern-trie.ts",
    find: "        if (slot.reachedBy === this.#walk) continue;\n",
    replace: "",
  },
  {
    name: "redriving forgets the first dead letter",
    rules: ["H1", "T3"],
    file: DEAD_LETTERS,
    find: "      act(letter);",
    replace: "      if (letter.sequence > 1) act(letter);",
  },
  {
    name: "a page of dead letters leaves one out",
    rules: ["D2"],
    file: DEAD_LETTERS,
    find: "letter.sequence >= from : letter.sequence <= from)",
    replace: "letter.sequence >= from : letter.sequence <= from + 1)",
  },
];
