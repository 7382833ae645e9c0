import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { EventContext, handledBy } from "@papa-events/core/decorators";
import type * as tsyringe from "tsyringe";
import { container as globalContainer } from "tsyringe";
import { expect, test } from "vitest";
import { started } from "./support.ts";

/** Loads an entry of core in a process of its own and tells which packages were asked for, each once, in order. */
function packagesOf(entry: string): readonly string[] {
  const program = `
    import { registerHooks } from "node:module";
    const asked = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        if (!/^(\\.|file:|node:)/.test(specifier)) asked.add(specifier);
        return next(specifier, context);
      },
    });
    await import(${JSON.stringify(new URL(`../../src/${entry}`, import.meta.url).href)});
    console.log(JSON.stringify([...asked]));
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  return JSON.parse(output) as string[];
}

test.each(["index.ts", "transport.ts", "uri.ts"])("%s loads neither tsyringe nor reflect-metadata", (entry) => {
  const packages = packagesOf(entry);
  expect(packages).not.toContain("tsyringe");
  expect(packages).not.toContain("reflect-metadata");
});

test("decorators/index.ts loads reflect-metadata before tsyringe, which refuses to be loaded without it", () => {
  const injection = ["tsyringe", "reflect-metadata"];
  const packages = packagesOf("decorators/index.ts").filter((name) => injection.includes(name));
  expect(packages).toEqual(["reflect-metadata", "tsyringe"]);
});

test("a container of another copy of tsyringe serves as well", async () => {
  const other = anotherTsyringe();
  expect(other.container).not.toBe(globalContainer);
  let disposed = 0;
  class Database {
    dispose(): void {
      disposed += 1;
    }
  }
  class Unit {
    dispose(): void {
      disposed += 1;
    }
  }
  const instances: unknown[] = [];
  @other.injectable()
  class Store {
    constructor(
      readonly context: EventContext,
      readonly database: Database,
      readonly one: Unit,
      readonly other: Unit,
    ) {}

    handle(_payload: unknown, context: EventContext): void {
      instances.push(this.context === context, this.one === this.other, this.database);
    }
  }
  const { app, clock } = await started((app) => app.onEvent("a", { useCase: "store" }, handledBy(Store, "handle")), {
    container: other.container
      .createChildContainer()
      .registerSingleton(Database)
      .register(Unit, Unit, { lifecycle: other.Lifecycle.ContainerScoped }),
  });
  await app.newEvent("a", 1);
  await app.newEvent("a", 2);
  await clock.settled();
  await app.stop();
  expect(instances).toEqual([true, true, instances[2], true, true, instances[2]]);
  expect(disposed).toBe(2);
});

function anotherTsyringe(): typeof tsyringe {
  const require = createRequire(import.meta.url);
  const loaded = Object.keys(require.cache).filter((path) => path.includes("/tsyringe/"));
  const kept = loaded.map((path) => [path, require.cache[path]] as const);
  for (const path of loaded) delete require.cache[path];
  const other = require("tsyringe") as typeof tsyringe;
  for (const [path, module] of kept) require.cache[path] = module;
  return other;
}
