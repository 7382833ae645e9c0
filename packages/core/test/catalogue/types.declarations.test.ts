import { describe, expect, test } from "vitest";
import { compile, compilers } from "./compilers.ts";
import { usersProject } from "./users-project.ts";

const everyEntry = `
import * as core from "@papa-events/core";
import * as decorators from "@papa-events/core/decorators";
import * as transport from "@papa-events/core/transport";
import * as uri from "@papa-events/core/uri";
export const all = [core, decorators, transport, uri];
`;

/** What a module exports, the compiler has to be able to write down by what the package exports. */
const exporting = `
import { defineEvents, exponential, forEvents, PapaApp, typeOnly, useCase as plain, type Transport } from "@papa-events/core";
import { decoratorsFor } from "@papa-events/core/decorators";
import { z } from "zod";
declare const transport: Transport;
export const events = defineEvents({
  "user.created": z.object({ name: z.string() }),
  "user.deleted": typeOnly<{ id: string }>(),
});
export const app = new PapaApp({ transport, events });
export const { useCase, event } = forEvents(events);
export const typed = forEvents(events);
export const { onEvent } = decoratorsFor(events);
export const log = useCase("log", { on: "user.*" }, async () => [event("user.deleted", { id: "1" })]);
export const audit = plain("audit", { on: "#", schema: z.unknown() }, () => {});
export const chained = app.onEvent("#", { useCase: "all" }, () => {});
export const newEvent = app.newEvent.bind(app);
export const create = (name: string) => app.newEvent("user.created", { name });
export const deleted = [event("user.deleted", { id: "1" })];
export const letters = app.deadLetters("log");
export const list = () => letters.list();
export const delay = exponential({ first: "1s" });
export class Service extends PapaApp<typeof events> {}
`;

const settings = {
  "of Node, every check on": { skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
  "of a bundler, as it comes": { module: "esnext", moduleResolution: "bundler", lib: ["es2023", "dom"] },
};

describe.each(compilers)("the declarations on %s", (compiler) => {
  test.each(Object.entries(settings))("compile in a project %s", async (_title, options) => {
    const project = await usersProject(
      { "entries.ts": everyEntry, "exporting.ts": exporting },
      { ...options, declaration: true },
    );
    expect((await compile(compiler, project)).diagnostics).toEqual([]);
  });
});
