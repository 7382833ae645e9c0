import type { Shell } from "../shell.ts";
import type { Site } from "../site.ts";

/** A symptom that has been caused and shows. */
interface Situation {
  /** What happens beside the commands, by the words of the page. */
  readonly meanwhile?: Readonly<Record<string, () => Promise<unknown>>>;
  /** Resolves once all is well again. @throws Error where it does not get well */
  readonly healthy: () => Promise<unknown>;
}

/** Causes a symptom. */
export type Cause = (site: Site, shell: Shell) => Promise<Situation>;

/** An error as a service of the shop throws it: with the same stack wherever the test runs. */
export function failure(message: string, place: string): Error {
  const error = new Error(message);
  error.stack = `Error: ${message}\n    at ${place}`;
  return error;
}
