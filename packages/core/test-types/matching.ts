// The types' matcher agrees with the one of the run time, which test/catalogue/matches.test.ts holds against this table.
import { expectTypeOf } from "vitest";
import type { Matches } from "../src/catalogue/matching.ts";
import type { matches } from "../test/catalogue/matches.ts";

/** The rows where they do not agree. */
type Wrong<Rows extends readonly (readonly [string, string, boolean])[]> = {
  [I in keyof Rows]: Agree<Matches<Rows[I][1], Rows[I][0]>, Rows[I][2]> extends true ? never : Rows[I];
}[number];

type Agree<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

expectTypeOf<Wrong<typeof matches>>().toEqualTypeOf<never>();
expectTypeOf<Wrong<[["a.*", "a.b", false]]>>().toEqualTypeOf<["a.*", "a.b", false]>();
