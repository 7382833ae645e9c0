import { LuaError } from "./error.ts";
import type { LuaTable } from "./table.ts";

/** Takes and gives any number of values. */
export type LuaFunction = (...args: LuaValue[]) => LuaValue[];

/** A value of Lua. A string has a character for each byte; `undefined` is nil. */
export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction;

export function typeOf(value: LuaValue): string {
  if (value === undefined) return "nil";
  if (typeof value === "object") return "table";
  return typeof value;
}

export function isTrue(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

export function toNumber(value: LuaValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) && !/^0[xX][\da-fA-F]+$/.test(text)) return undefined;
  return Number(text);
}

/** As `tostring` writes a number: `%.14g`. */
export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e14) return String(value);
  const text = value.toPrecision(14);
  return text.includes("e") ? text.replace(/\.?0*e/, "e") : String(Number.parseFloat(text));
}

/** A string, or a number as one. @throws LuaError for anything else */
export function textOf(value: LuaValue, what: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return numberText(value);
  throw new LuaError(`attempt to ${what} a ${typeOf(value)} value`);
}
