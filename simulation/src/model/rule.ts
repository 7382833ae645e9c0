import type { Entry } from "../history/entry.ts";
import type { Model } from "./model.ts";
import type { Report } from "./violation.ts";

/** Watches a run for some rules of the contract. One for each run. */
export interface Rule {
  /** Called before the model takes note of the entry, if there is much to say about what was before. */
  before?(entry: Entry, model: Model, report: Report): void;
  /** Called after the model has taken note of it. */
  see?(entry: Entry, model: Model, report: Report): void;
  /** Called at the end of the run. */
  end?(model: Model, report: Report): void;
}
