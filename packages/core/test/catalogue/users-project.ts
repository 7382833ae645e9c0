import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { run } from "./compilers.ts";

const core = fileURLToPath(new URL("../../", import.meta.url));
const ours = fileURLToPath(new URL("../../../../node_modules/", import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), "papa-events-types-"));
let installed: Promise<void> | undefined;

afterAll(() => rmSync(temporary, { recursive: true }));

/** What a user of the package has beside it. */
const BESIDE = ["zod", "@standard-schema/spec", "@types/node", "undici-types", "tsyringe", "reflect-metadata"];

/** A user's project of these files, for which core is an installed package: declarations, and no more than it exports. */
export async function usersProject(
  files: Readonly<Record<string, string>>,
  compilerOptions: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  await (installed ??= install());
  const folder = mkdtempSync(join(temporary, "project-"));
  const options = {
    target: "es2023",
    module: "nodenext",
    strict: true,
    skipLibCheck: true,
    types: ["node"],
    ...compilerOptions,
  };
  const all = {
    "package.json": '{ "type": "module" }',
    "tsconfig.json": JSON.stringify({ compilerOptions: options, include: ["."] }),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  return folder;
}

async function install(): Promise<void> {
  const modules = join(temporary, "node_modules");
  for (const name of BESIDE) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ours, name), join(modules, name));
  }
  const target = join(modules, "@papa-events", "core");
  mkdirSync(target, { recursive: true });
  cpSync(join(core, "package.json"), join(target, "package.json"));
  const emit = ["--emitDeclarationOnly", "--declarationMap", "false", "--outDir", join(target, "dist")];
  const alone = ["--composite", "false", "--incremental", "false", "--tsBuildInfoFile", "null"];
  const errors = await run("typescript", ["-p", core, ...emit, ...alone], core);
  if (errors !== "") throw new Error(`The sources of core do not compile:\n${errors}`);
}
