// Who may import whom.
const packages = "^(@papa-events/|packages/|conformance/)";
const publicEntries = "^@papa-events/core(/(operator|transport|uri))?$";

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-circles-between-folders",
      comment: "A folder that needs another is not needed by it, by no way round.",
      severity: "error",
      scope: "folder",
      from: { path: "^(packages/[^/]+|conformance)/src" },
      to: { circular: true },
    },
    {
      name: "no-circles-with-the-top",
      comment:
        "The files beside the folders put them together; no folder needs them. The rule above sees only siblings.",
      severity: "error",
      from: { path: "^(packages/[^/]+)/src/[^/]+/" },
      to: { path: "^$1/src/[^/]+$" },
    },
    {
      name: "core-imports-no-package",
      comment: "Core imports no transport, and itself by relative paths.",
      severity: "error",
      from: { path: "^packages/core/src/" },
      to: { path: packages, pathNot: "^packages/core/src/" },
    },
    {
      name: "transports-import-core-only",
      comment: "A transport imports core by its public entries, and no other transport.",
      severity: "error",
      from: { path: "^packages/(transport-[^/]+)/src/" },
      to: { path: packages, pathNot: ["^packages/$1/src/", publicEntries] },
    },
    {
      name: "cli-imports-the-public-core-only",
      comment: "The command line does what any program could do with the operator's interface.",
      severity: "error",
      from: { path: "^packages/cli/src/" },
      to: { path: packages, pathNot: ["^packages/cli/(src|node_modules)/", publicEntries] },
    },
    {
      name: "conformance-imports-core-only",
      comment: "The suite judges every transport and imports none; descriptions are in tests.",
      severity: "error",
      from: { path: "^conformance/src/" },
      to: { path: packages, pathNot: ["^conformance/src/", publicEntries] },
    },
  ],
  options: {
    // TypeScript 7 has no API that it could parse by.
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    // By their names, packages need not be built.
    enhancedResolveOptions: { exportsFields: [], mainFields: [] },
  },
};
