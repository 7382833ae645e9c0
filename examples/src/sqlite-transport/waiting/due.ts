/** Chooses events of a use case that are ready: given the use case and {@link present}. */
export const READY = "use_case = ? AND owner IS NULL AND due <= ?";

/** The time by which events are due: the machine's, which all processes that share a file share too. */
export function present(): number {
  return Date.now();
}

/** When an event is due that waits so many milliseconds from now; never early. */
export function dueIn(delay: number): number {
  return Math.ceil(Date.now() + delay) + 1;
}
