// Any Standard Schema: those of zod, of zod mini, and such as other libraries and users write.
import { defineEvents, PapaApp, useCase } from "@papa-events/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expectTypeOf } from "vitest";
import { z } from "zod";
import * as mini from "zod/mini";
import { transport } from "./events.ts";

/** As valibot's: an interface that extends others, its types under `"~standard"`. */
interface ValibotLike<I, O> {
  readonly kind: "schema";
  readonly type: "object";
  readonly "~standard": StandardSchemaV1.Props<I, O>;
  readonly "~types"?: { readonly input: I; readonly output: O } | undefined;
}
/** As arktype's: a function. */
interface ArktypeLike<I, O> {
  (data: unknown): O;
  readonly infer: O;
  readonly "~standard": {
    version: 1;
    vendor: "arktype";
    validate(value: unknown): StandardSchemaV1.Result<O>;
    types?: StandardSchemaV1.Types<I, O>;
  };
}
declare const valibot: ValibotLike<{ n: string }, { n: number }>;
declare const arktype: ArktypeLike<{ n: string }, { n: number }>;
const checksOnly = {
  "~standard": { version: 1, vendor: "mine", validate: async (value: unknown) => ({ value }) },
} as const;

const events = defineEvents({
  valibot,
  arktype,
  "zod.mini": mini.object({ n: mini.pipe(mini.string(), mini.transform(Number)) }),
  "zod.pipe": z.object({ n: z.string() }).transform(({ n }) => ({ n: Number(n) })),
  "zod.lazy": z.lazy(() => z.object({ n: z.string().pipe(z.transform(Number)) })),
});
type In = { n: string };
type Out = { n: number };
const app = new PapaApp({ transport, events });
app.onEvent("#", { useCase: "1" }, (payload) => expectTypeOf(payload).toEqualTypeOf<Out>() && undefined);
expectTypeOf(app.newEvent<"valibot">)
  .parameter(1)
  .toEqualTypeOf<In>();
expectTypeOf(app.newEvent<"arktype">)
  .parameter(1)
  .toEqualTypeOf<In>();
expectTypeOf(app.newEvent<"zod.mini">)
  .parameter(1)
  .toEqualTypeOf<In>();
expectTypeOf(app.newEvent<"zod.pipe">)
  .parameter(1)
  .toEqualTypeOf<In>();
expectTypeOf(app.newEvent<"zod.lazy">)
  .parameter(1)
  .toEqualTypeOf<In>();

useCase("2", { on: "#", schema: valibot }, (payload) => expectTypeOf(payload).toEqualTypeOf<Out>() && undefined);
useCase("3", { on: "#", schema: arktype }, (payload) => expectTypeOf(payload).toEqualTypeOf<Out>() && undefined);
// A schema that says nothing of types.
useCase("4", { on: "#", schema: checksOnly }, (payload) => expectTypeOf(payload).toEqualTypeOf<unknown>() && undefined);
new PapaApp({ transport, events: { checksOnly } }).newEvent("checksOnly", { any: "payload" });
// @ts-expect-error a JSON Schema is none
useCase("5", { on: "#", schema: { type: "object" } }, () => {});
