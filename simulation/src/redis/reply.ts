/** What the server replies. A string has a character for each byte. */
export type Reply = null | number | string | Status | RedisError | readonly Reply[];

/** A reply that is no string but a word, such as `OK`. */
export class Status {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const OK = new Status("OK");

/** What the server refuses with. */
export class RedisError extends Error {}

export function wrongType(): RedisError {
  return new RedisError("WRONGTYPE Operation against a key holding the wrong kind of value");
}

export function syntaxError(): RedisError {
  return new RedisError("ERR syntax error");
}
