import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { PlantedFault } from "../planted/planted-fault.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Packages stand for their sources: nothing has to be built, and faults can be planted in them. */
const SOURCES: Readonly<Record<string, string>> = {
  "@papa-events/core": "packages/core/src/index.ts",
  "@papa-events/core/operator": "packages/core/src/operator/index.ts",
  "@papa-events/core/transport": "packages/core/src/transport.ts",
  "@papa-events/transport-redis-streams": "packages/transport-redis-streams/src/index.ts",
  "@papa-events/transport-memory": "packages/transport-memory/src/index.ts",
};

/**
 * Has this thread load the packages from their sources, with a fault planted in them if one is given.
 *
 * @throws Error where the fault's text is not in its file exactly once
 */
export function loadSources(fault: PlantedFault | undefined): void {
  const planted = fault === undefined ? undefined : plant(fault);
  registerHooks({
    resolve(specifier, context, next) {
      const source = SOURCES[specifier];
      return source === undefined ? next(specifier, context) : { url: new URL(source, ROOT).href, shortCircuit: true };
    },
    load(url, context, next) {
      if (planted === undefined || url !== planted.url) return next(url, context);
      return { format: "module-typescript", source: planted.source, shortCircuit: true };
    },
  });
}

function plant({ name, file, find, replace }: PlantedFault): { readonly url: string; readonly source: string } {
  const url = new URL(file, ROOT).href;
  const parts = readFileSync(fileURLToPath(url), "utf8").split(find);
  if (parts.length !== 2)
    throw new Error(`"${name}" cannot be planted: ${file} has ${parts.length - 1} times what it replaces.`);
  return { url, source: parts.join(replace) };
}
