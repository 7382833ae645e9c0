import type { DeadLetterFilter } from "@papa-events/core";
import { wrongUse } from "../../errors/cli-error.ts";
import { type FilterOptions, filterFrom } from "./filters.ts";

/** Which dead letters a command is about. */
export type Selection =
  | { readonly kind: "ids"; readonly ids: readonly string[] }
  | { readonly kind: "filter"; readonly where: DeadLetterFilter }
  | { readonly kind: "all" };

/** The options that choose dead letters. */
export interface SelectionOptions extends FilterOptions {
  readonly all?: boolean;
}

/**
 * Reads which dead letters are meant. None is no way to say all of them.
 *
 * @throws CliError `wrong-use`
 */
export function selectionFrom(ids: readonly string[], options: SelectionOptions): Selection {
  const where = filterFrom(options);
  const given = [ids.length > 0 && "ids", where !== undefined && "filters", options.all === true && "--all"].filter(
    (each) => each !== false,
  );
  if (given.length > 1) throw wrongUse(`Give either ${given.join(" or ")}, and not both.`);
  if (ids.length > 0) return { kind: "ids", ids: [...new Set(ids)] };
  if (where !== undefined) return { kind: "filter", where };
  if (options.all === true) return { kind: "all" };
  throw wrongUse("Which dead letters?", "Give ids, filters such as --text ECONNREFUSED, or --all.");
}
