import { AssertionError } from "node:assert";

/** The pause between two looks; a broker is asked over the network. */
const PAUSE = 10;

/**
 * Waits for a condition.
 *
 * @param what is waited for; of a function it is the text at the end
 * @throws AssertionError when it has not come true within `patience` milliseconds
 */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  patience: number,
): Promise<void> {
  const started = performance.now();
  for (;;) {
    if (await condition()) return;
    if (performance.now() - started > patience) {
      const text = typeof what === "string" ? what : what();
      throw new AssertionError({ message: `waited ${patience} ms in vain until ${text}` });
    }
    await pause(PAUSE);
  }
}

/** Lets time pass: only where time itself is the matter. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
