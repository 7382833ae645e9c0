import type { LuaValue } from "./value.ts";

/** A table: a list from 1 on, and anything else by its key. */
export class LuaTable {
  readonly list: LuaValue[] = [];
  readonly #fields = new Map<LuaValue, LuaValue>();

  static of(values: readonly LuaValue[]): LuaTable {
    const table = new LuaTable();
    for (const [index, value] of values.entries()) table.set(index + 1, value);
    return table;
  }

  get length(): number {
    return this.list.length;
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === "number") {
      const listed = this.list[key - 1];
      if (listed !== undefined) return listed;
    }
    return this.#fields.get(key);
  }

  set(key: LuaValue, value: LuaValue): void {
    if (typeof key !== "number" || key < 1 || key > this.list.length + 1 || !Number.isInteger(key)) {
      if (value === undefined) this.#fields.delete(key);
      else this.#fields.set(key, value);
      return;
    }
    if (value === undefined) {
      // What is behind the gap stays where it is.
      for (const [index, behind] of this.list.splice(key - 1).entries())
        if (index > 0) this.#fields.set(key + index, behind);
      return;
    }
    this.list[key - 1] = value;
    for (let next = this.list.length + 1; this.#fields.has(next); next += 1) {
      this.list.push(this.#fields.get(next));
      this.#fields.delete(next);
    }
  }

  *pairs(): Iterable<[LuaValue, LuaValue]> {
    for (const [index, value] of this.list.entries()) yield [index + 1, value];
    yield* this.#fields;
  }
}
