import { expect, test } from "vitest";
import { HeaderTables } from "../../src/wire/header-tables.ts";

test("P1 headers stay as they are, and no event sees another's", () => {
  const tables = new HeaderTables();
  const kinds: readonly Readonly<Record<string, string>>[] = [
    {},
    { a: "1", b: "2" },
    { b: "4", a: "3" },
    { a: "5", c: "6" },
    { a: "7", b: "8" },
    { a: "9" },
    JSON.parse('{"__proto__":"own","constructor":"own"}'),
    JSON.parse('{"__proto__":"again","constructor":"again"}'),
    Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`h${index}`, `${index}`])),
    { a: "", b: "" },
  ];
  for (const headers of [...kinds, ...kinds]) {
    const before = JSON.stringify(headers);
    const filled = tables.fill(Object.freeze(headers));
    expect(Object.entries(filled).sort()).toEqual(Object.entries(headers).sort());
    expect(JSON.stringify(headers)).toBe(before);
  }
});

test("P1 events of one kind share one object, and those of another have their own", () => {
  const tables = new HeaderTables();
  const one = tables.fill({ a: "1", b: "2" });
  tables.fill({ a: "1" });
  expect(tables.fill({ a: "3", b: "4" })).toBe(one);
  expect(one).toEqual({ a: "3", b: "4" });
});

test("P1 what somebody adds to an object that was filled is in none that is filled later", () => {
  const tables = new HeaderTables();
  for (const headers of [{}, { a: "1" }]) {
    Object.assign(tables.fill(headers), { baggage: "user=7" });
    expect(tables.fill(headers)).toEqual(headers);
  }
});
