import { LuaError } from "./error.ts";
import { functionOf } from "./library.ts";
import { LuaTable } from "./table.ts";
import { isTrue, type LuaFunction, type LuaValue, textOf, toNumber, typeOf } from "./value.ts";

/** What compiled programs call. */
export const runtime = {
  isTrue,
  and: (one: LuaValue, other: () => LuaValue): LuaValue => (isTrue(one) ? other() : one),
  or: (one: LuaValue, other: () => LuaValue): LuaValue => (isTrue(one) ? one : other()),
  table: (fields: readonly (readonly [LuaValue, LuaValue])[], values: readonly LuaValue[]): LuaTable => {
    const table = LuaTable.of(values);
    for (const [key, value] of fields) table.set(key, value);
    return table;
  },
  /** The only value of an expression that may have many. */
  first: (values: readonly LuaValue[]): LuaValue => values[0],
  call: (callee: LuaValue, args: LuaValue[]): LuaValue[] => functionOf(callee)(...args),
  iterate: function* (values: readonly LuaValue[]): Generator<LuaValue[]> {
    const [next, state, first] = values;
    const step: LuaFunction = functionOf(next);
    for (let found = step(state, first); found[0] !== undefined; found = step(state, found[0])) yield found;
  },
  get: (table: LuaValue, key: LuaValue): LuaValue => {
    if (table instanceof LuaTable) return table.get(key);
    throw new LuaError(`attempt to index a ${typeOf(table)} value (${String(key)})`);
  },
  set: (table: LuaValue, key: LuaValue, value: LuaValue): void => {
    if (!(table instanceof LuaTable)) throw new LuaError(`attempt to index a ${typeOf(table)} value (${String(key)})`);
    table.set(key, value);
  },
  length: (value: LuaValue): number => {
    if (value instanceof LuaTable) return value.length;
    if (typeof value === "string") return value.length;
    throw new LuaError(`attempt to get length of a ${typeOf(value)} value`);
  },
  concat: (one: LuaValue, other: LuaValue): string => textOf(one, "concatenate") + textOf(other, "concatenate"),
  number: (value: LuaValue): number => {
    const number = toNumber(value);
    if (number !== undefined) return number;
    throw new LuaError(`attempt to perform arithmetic on a ${typeOf(value)} value`);
  },
  modulo: (one: number, other: number): number => one - Math.floor(one / other) * other,
  less: (one: LuaValue, other: LuaValue): boolean => {
    if (typeof one === "number" && typeof other === "number") return one < other;
    if (typeof one === "string" && typeof other === "string") return one < other;
    throw new LuaError(`attempt to compare ${typeOf(one)} with ${typeOf(other)}`);
  },
  /** Not the negation of `less` with the two exchanged: neither is true of what is no number. */
  lessOrEqual: (one: LuaValue, other: LuaValue): boolean => {
    if (typeof one === "number" && typeof other === "number") return one <= other;
    if (typeof one === "string" && typeof other === "string") return one <= other;
    throw new LuaError(`attempt to compare ${typeOf(one)} with ${typeOf(other)}`);
  },
};

export type Runtime = typeof runtime;
