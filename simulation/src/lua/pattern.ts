import { LuaError } from "./error.ts";

const CLASSES: Readonly<Record<string, string>> = {
  a: "A-Za-z",
  d: "0-9",
  l: "a-z",
  s: "\\s",
  u: "A-Z",
  w: "A-Za-z0-9",
  x: "0-9A-Fa-f",
};
const compiled = new Map<string, RegExp>();

/** A pattern of Lua as a regular expression that looks for it from `lastIndex` on. @throws LuaError for what scripts have no need of */
export function toRegExp(pattern: string): RegExp {
  let regExp = compiled.get(pattern);
  if (regExp === undefined) compiled.set(pattern, (regExp = compile(pattern)));
  regExp.lastIndex = 0;
  return regExp;
}

function compile(pattern: string): RegExp {
  const anchored = pattern.startsWith("^");
  let source = "";
  for (let at = anchored ? 1 : 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (character === "%") {
      at += 1;
      source += classOf(pattern.charAt(at), false);
    } else if (character === "[") {
      const end = pattern.indexOf("]", at + 2);
      source += setOf(pattern.slice(at + 1, end));
      at = end;
    } else if (character === "-") source += "*?";
    else if (character === "." || "*+?()".includes(character)) source += character;
    else if (character === "$" && at === pattern.length - 1) source += "$";
    else source += escaped(character);
  }
  return new RegExp(source, anchored ? "ys" : "gs");
}

function setOf(inner: string): string {
  const negated = inner.startsWith("^");
  let set = "";
  for (let at = negated ? 1 : 0; at < inner.length; at += 1) {
    if (inner.charAt(at) === "%") {
      at += 1;
      set += classOf(inner.charAt(at), true);
    } else set += inner.charAt(at) === "-" ? "-" : escaped(inner.charAt(at));
  }
  return `[${negated ? "^" : ""}${set}]`;
}

function classOf(letter: string, inSet: boolean): string {
  const members = CLASSES[letter.toLowerCase()];
  if (members === undefined) {
    if (/[a-z0-9]/i.test(letter)) throw new LuaError(`%${letter} in a pattern is more than the simulation knows`);
    return escaped(letter);
  }
  if (letter !== letter.toLowerCase()) {
    if (inSet) throw new LuaError(`%${letter} in a set is more than the simulation knows`);
    return `[^${members}]`;
  }
  return inSet ? members : `[${members}]`;
}

function escaped(character: string): string {
  return /[\w\s]/.test(character) ? character : `\\${character}`;
}
