import { readFileSync } from "node:fs";
import { compileFunction } from "node:vm";
import * as core from "@papa-events/core";
import * as decorators from "@papa-events/core/decorators";
import ts from "typescript-5.9";
import { expect, test } from "vitest";
import * as zod from "zod";
import { started, thrownBy } from "./support.ts";

const modules: Readonly<Record<string, unknown>> = {
  "@papa-events/core": core,
  "@papa-events/core/decorators": decorators,
  zod,
};

/** What `standard/handlers.ts` exports; its types are checked with standard decorators, and these are not. */
interface Handlers {
  readonly Journal: new () => { readonly lines: string[] };
  readonly Users: new (journal: object) => object;
  readonly refused: Readonly<Record<keyof typeof problems, () => unknown>>;
}

/** The handlers as TypeScript compiles standard decorators, linked to the modules of this test. */
function standardHandlers(): Handlers {
  const source = readFileSync(new URL("standard/handlers.ts", import.meta.url), "utf8");
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  const exports = {} as Handlers;
  compileFunction(outputText, ["exports", "require"])(exports, (name: string) => modules[name]);
  return exports;
}

const { Journal, Users, refused } = standardHandlers();

test("the same @onEvent works under standard decorators", async () => {
  const journal = new Journal();
  const { app, clock } = await started((app, container) => {
    // Without the compiler's metadata nothing can be injected by type.
    container.register(Users, { useFactory: () => new Users(journal) });
    app.register(Users);
  });
  await app.newEvent("user.created", { name: "carlos" });
  await clock.settled();
  expect([...journal.lines].sort()).toEqual([
    "Users.overridden",
    "inherited: Base.inherited",
    "named: carlos 1",
    "typed: carlos",
  ]);
  journal.lines.length = 0;
  await app.newEvent("user.deleted", { id: "1" });
  await clock.settled();
  // What a decorator below @onEvent makes of the method is what is called.
  expect([...journal.lines].sort()).toEqual(["twice", "twice", "typed: 1"]);
});

const problems = {
  private: '"#handle" is private to its class, and the library cannot call it',
  static: '"handle" is static, and a handler is a method of the instance that the container makes',
  field: 'it belongs on a method, and "handle" is a field',
  getter: 'it belongs on a method, and "handle" is a getter',
  accessor: 'it belongs on a method, and "handle" is an accessor',
  class: "it belongs on a method, and this is a class",
};

test.each(Object.keys(refused) as (keyof typeof refused)[])(
  "@onEvent belongs on a method of instances, and on no %s",
  (what) => {
    expect(thrownBy(refused[what])).toMatchObject({
      code: "invalid-option",
      details: { option: '@onEvent of "u"', problem: problems[what] },
    });
  },
);
