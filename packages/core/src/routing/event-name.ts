import { PapaError } from "../errors/papa-error.ts";
import { shown } from "../errors/shown.ts";

/** The most words an event name or pattern may have. */
const MAX_WORDS = 10;

/** The most bytes an event name or pattern may have; with a prefix it still fits AMQP's 255-byte routing key. */
const MAX_NAME_BYTES = 200;

const WORD = /^[A-Za-z0-9_-]+$/;

/** Names known to be valid: a service publishes few names many times, and a look-up is cheaper than a check. */
const known = new Set<string>();
const KNOWN_LIMIT = 10_000;

/**
 * Checks an event name (P5): 1 to 10 words of `A-Z a-z 0-9 _ -` joined by dots, 200 bytes at most.
 *
 * @throws PapaError `invalid-event-name`
 */
export function assertEventName(name: unknown): asserts name is string {
  if (known.has(name as string)) return;
  const problem = problemOfEventName(name);
  if (problem !== undefined) {
    const given = shown(name);
    throw new PapaError("invalid-event-name", `${JSON.stringify(given)} is not a valid event name: ${problem}.`, {
      name: given,
      problem,
    });
  }
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.add(name as string);
}

/** What is wrong with an event name, or `undefined`. */
function problemOfEventName(name: unknown): string | undefined {
  if (typeof name !== "string") return `it is of type ${typeof name}, and a string is needed`;
  return problemOfWords(name, (word) => {
    if (word === "*" || word === "#") return `the wildcard "${word}" belongs in a pattern; an event has a full name`;
    return WORD.test(word) ? undefined : problemOfWord(word);
  });
}

/** What is wrong with dotted words, or `undefined`; `check` says it of each word. */
export function problemOfWords(text: string, check: (word: string) => string | undefined): string | undefined {
  if (text === "") return "it is empty";
  if (Buffer.byteLength(text) > MAX_NAME_BYTES)
    return `it has ${Buffer.byteLength(text)} bytes, and ${MAX_NAME_BYTES} are allowed`;
  const words = text.split(".");
  if (words.length > MAX_WORDS) return `it has ${words.length} words, and ${MAX_WORDS} are allowed`;
  for (const word of words) {
    const problem = check(word);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What is wrong with a word that is neither a plain word nor a wildcard. */
export function problemOfWord(word: string): string {
  if (word === "") return 'it has an empty word; words are joined by single dots, as in "user.created"';
  return `the word ${JSON.stringify(word)} has a character other than A-Z, a-z, 0-9, "_" and "-"`;
}
