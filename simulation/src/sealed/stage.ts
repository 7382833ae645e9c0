/** What the sealed globals stand on while a run goes on. */
export interface Stage {
  /** The time of day, in milliseconds since 1970. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** @param background whether it repeats by itself, so that a run may end while it is left */
  after(delay: number, run: () => void, background: boolean): () => void;
  /** Notes that the run has touched something real. */
  touched(what: string): void;
}

let current: Stage | undefined;

/** Sets the stage of the run that begins, or, without one, that none goes on. */
export function setStage(stage: Stage | undefined): void {
  current = stage;
}

/** @throws Error outside of a run */
export function stage(what: string): Stage {
  if (current !== undefined) return current;
  throw new Error(`${what} was called outside of a run.`);
}

/** The stage of the run that goes on, if one does. */
export function stageIfAny(): Stage | undefined {
  return current;
}
