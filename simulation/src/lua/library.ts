import { LuaError } from "./error.ts";
import { toRegExp } from "./pattern.ts";
import { LuaTable } from "./table.ts";
import { isTrue, type LuaFunction, type LuaValue, numberText, textOf, toNumber, typeOf } from "./value.ts";

/** What more values than this do to the stack of a real Lua. */
const MAX_UNPACKED = 7_999;

/** The part of Lua 5.1's library that scripts use. */
export const LIBRARY: Readonly<Record<string, LuaValue>> = {
  tonumber: (value) => [toNumber(value)],
  tostring: (value) => [typeof value === "number" ? numberText(value) : String(value ?? "nil")],
  type: (value) => [typeOf(value)],
  ipairs: (table) => [nextInList, tableOf(table, "ipairs"), 0],
  pairs: (table) => {
    const pairs = [...tableOf(table, "pairs").pairs()];
    let at = 0;
    return [
      () => {
        at += 1;
        return pairs[at - 1] ?? [];
      },
    ];
  },
  unpack: (table, from = 1, to = tableOf(table, "unpack").length) => {
    const list = tableOf(table, "unpack");
    const first = numberOf(from, "unpack");
    const count = numberOf(to, "unpack") - first + 1;
    if (count > MAX_UNPACKED) throw new LuaError("too many results to unpack");
    return Array.from({ length: Math.max(0, count) }, (_, index) => list.get(first + index));
  },
  pcall: (act, ...args) => {
    try {
      return [true, ...functionOf(act)(...args)];
    } catch (error) {
      if (error instanceof LuaError) return [false, error.value];
      throw error;
    }
  },
  error: (value) => {
    throw new LuaError(value);
  },
  string: library({
    format: (format, ...args) => [formatted(textOf(format, "format"), args)],
    sub: (text, from = 1, to = -1) => {
      const string = textOf(text, "index");
      const first = numberOf(from, "sub");
      const last = numberOf(to, "sub");
      const begin = first < 0 ? Math.max(0, string.length + first) : Math.max(0, first - 1);
      return [string.slice(begin, Math.max(begin, last < 0 ? string.length + last + 1 : last))];
    },
    len: (text) => [textOf(text, "len").length],
    find: (text, pattern, from = 1, plain = false) => {
      const string = textOf(text, "find");
      const sought = textOf(pattern, "find");
      const at = numberOf(from, "find") - 1;
      if (isTrue(plain)) {
        const found = string.indexOf(sought, at);
        return found === -1 ? [undefined] : [found + 1, found + sought.length];
      }
      const match = matchOf(string, sought, at);
      return match === undefined ? [undefined] : [match.index + 1, match.index + match[0].length, ...match.slice(1)];
    },
    match: (text, pattern) => {
      const match = matchOf(textOf(text, "match"), textOf(pattern, "match"), 0);
      return match === undefined ? [undefined] : capturesOf(match);
    },
    gmatch: (text, pattern) => {
      const matches = [...textOf(text, "gmatch").matchAll(toRegExp(textOf(pattern, "gmatch")))];
      return [
        () => {
          const match = matches.shift();
          return match === undefined ? [undefined] : capturesOf(match);
        },
      ];
    },
    gsub: (text, pattern, replacement) => {
      let count = 0;
      const by = textOf(replacement, "gsub");
      if (by.includes("%")) throw new LuaError("captures in a replacement are more than the simulation knows");
      const replaced = textOf(text, "gsub").replace(toRegExp(textOf(pattern, "gsub")), () => {
        count += 1;
        return by;
      });
      return [replaced, count];
    },
  }),
  table: library({
    insert: (table, at, value) => {
      const { list } = tableOf(table, "insert");
      if (value === undefined) list.push(at);
      else list.splice(numberOf(at, "insert") - 1, 0, value);
      return [];
    },
    concat: (table, separator = "") => [
      tableOf(table, "concat")
        .list.map((value) => textOf(value, "concatenate"))
        .join(textOf(separator, "concatenate")),
    ],
    sort: (table, before) => {
      const isBefore = functionOf(before);
      tableOf(table, "sort").list.sort((one, other) =>
        isTrue(isBefore(one, other)[0]) ? -1 : isTrue(isBefore(other, one)[0]) ? 1 : 0,
      );
      return [];
    },
  }),
  math: library({
    max: (...values) => [Math.max(...values.map((value) => numberOf(value, "max")))],
    min: (...values) => [Math.min(...values.map((value) => numberOf(value, "min")))],
    floor: (value) => [Math.floor(numberOf(value, "floor"))],
    ceil: (value) => [Math.ceil(numberOf(value, "ceil"))],
    abs: (value) => [Math.abs(numberOf(value, "abs"))],
  }),
};

export function library(members: Readonly<Record<string, LuaFunction>>): LuaTable {
  const table = new LuaTable();
  for (const [name, member] of Object.entries(members)) table.set(name, member);
  return table;
}

function nextInList(table: LuaValue, at: LuaValue): LuaValue[] {
  const next = numberOf(at, "ipairs") + 1;
  const value = tableOf(table, "ipairs").get(next);
  return value === undefined ? [undefined] : [next, value];
}

function matchOf(text: string, pattern: string, from: number): RegExpExecArray | undefined {
  const regExp = toRegExp(pattern);
  regExp.lastIndex = from;
  return regExp.exec(text) ?? undefined;
}

function capturesOf(match: RegExpMatchArray): LuaValue[] {
  return match.length > 1 ? match.slice(1) : [match[0]];
}

function formatted(format: string, args: readonly LuaValue[]): string {
  let next = 0;
  return format.replaceAll(/%(?:\.(\d+))?([a-z%])/g, (_, digits: string | undefined, kind: string) => {
    if (kind === "%") return "%";
    const value = args[next];
    next += 1;
    if (kind === "s") return textOf(value, "format");
    if (kind === "d") return String(Math.trunc(numberOf(value, "format")));
    if (kind === "f") return fixed(numberOf(value, "format"), Number(digits ?? 6));
    throw new LuaError(`%${kind} in a format is more than the simulation knows`);
  });
}

/** As C writes it: what is exactly between two goes to the even one. */
function fixed(value: number, digits: number): string {
  const floor = Math.floor(value);
  if (digits === 0 && value - floor === 0.5) return String(floor % 2 === 0 ? floor : floor + 1);
  return value.toFixed(digits);
}

function numberOf(value: LuaValue, what: string): number {
  const number = toNumber(value);
  if (number !== undefined) return number;
  throw new LuaError(`bad argument to '${what}' (number expected, got ${typeOf(value)})`);
}

function tableOf(value: LuaValue, what: string): LuaTable {
  if (value instanceof LuaTable) return value;
  throw new LuaError(`bad argument to '${what}' (table expected, got ${typeOf(value)})`);
}

export function functionOf(value: LuaValue): LuaFunction {
  if (typeof value === "function") return value;
  throw new LuaError(`attempt to call a ${typeOf(value)} value`);
}
