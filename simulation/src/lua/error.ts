import type { LuaValue } from "./value.ts";

/** What a Lua program throws. */
export class LuaError extends Error {
  readonly value: LuaValue;

  constructor(value: LuaValue) {
    super(typeof value === "string" ? value : "a table");
    this.value = value;
  }
}
