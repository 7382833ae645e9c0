import type { StandardSchemaV1 } from "@standard-schema/spec";
import { invalidOption } from "../options/check-options.ts";
import { assertEventName } from "../routing/event-name.ts";
import type { Publishable } from "./publishable.ts";
import type { Catalogue } from "./types.ts";

/**
 * The events of a system, for `new PapaApp({ transport, events })`: names, payloads, returned events and
 * wildcards are then checked at compile time, payloads also when they are published and handled. Returns the record
 * as given, so that catalogues combine by spread.
 *
 * @throws PapaError `invalid-event-name`, `invalid-option`
 * @example const events = defineEvents({ "user.created": z.object({ name: z.string() }) });
 */
export function defineEvents<const C extends Catalogue>(events: Publishable<C>): C {
  assertCatalogue(events, "defineEvents");
  return events as C;
}

/** What {@link typeOnly} makes. A type of this package, so that a module can export a catalogue with it. */
export interface TypeOnly<T> extends StandardSchemaV1<T, T> {}

/**
 * An entry of a catalogue with a type and no run-time check.
 *
 * @example defineEvents({ "user.deleted": typeOnly<{ id: string }>() })
 */
export function typeOnly<T>(): TypeOnly<T> {
  return { "~standard": { version: 1, vendor: "papa-events", validate: (value) => ({ value: value as T }) } };
}

/** @throws PapaError `invalid-event-name`, `invalid-option` */
export function assertCatalogue(events: unknown, option: string): asserts events is Catalogue {
  if (typeof events !== "object" || events === null)
    throw invalidOption(option, 'a schema by event name is needed, such as { "user.created": z.object({ ... }) }');
  for (const [name, schema] of Object.entries(events)) {
    assertEventName(name);
    assertSchema(schema, `${option}: "${name}"`);
  }
}

/** @throws PapaError `invalid-option` */
export function assertSchema(schema: unknown, option: string): asserts schema is StandardSchemaV1 {
  const standard =
    (typeof schema === "object" && schema !== null) || typeof schema === "function"
      ? (schema as Partial<StandardSchemaV1>)["~standard"]
      : undefined;
  if (typeof standard?.validate === "function") return;
  throw invalidOption(option, "this is no Standard Schema, such as one of zod 3.24 or newer");
}
