// What `npm run demo`, `npm test`, `npm run bench`, `npm run faults` and `npm run simulate` begin with: installs and builds what is
// missing, then runs the task under the pinned Node.js. Runs itself on whatever Node.js the machine has and needs no package.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const stamp = join(root, "node_modules", ".installed-lock");
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: "1" };

/** The file a task runs, and whether it needs the packages built first. */
const tasks = {
  demo: { file: "examples/src/demo/main.ts", built: true },
  bench: { file: "bench/src/main.ts", built: true },
  faults: { file: "conformance/src/faults/main.ts", built: true },
  simulate: { file: "simulation/src/main.ts", built: false },
  check: { file: "scripts/check.mjs", built: false },
};

const [name = "", ...args] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined) {
  console.error(`bootstrap: unknown task "${name}"; there are ${Object.keys(tasks).join(", ")}.`);
  process.exit(2);
}

install();
if (task.built) build();
run(task.file);

function install() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.log("Installing the dependencies (npm ci), Node.js 24 among them ...");
  step("npm", ["ci", "--no-progress", "--loglevel=error"]);
  writeFileSync(stamp, lock);
}

function build() {
  const built = spawnSync("turbo", ["run", "build", "--output-logs=errors-only"], {
    cwd: root,
    env,
    encoding: "utf8",
    shell: false,
  });
  if (built.status === 0) return;
  console.error(built.stdout, built.stderr, "bootstrap: the build failed.");
  process.exit(built.status ?? 1);
}

function step(command, commandArgs) {
  const { status, error } = spawnSync(command, commandArgs, { cwd: root, env, stdio: "inherit" });
  if (status === 0) return;
  console.error(`bootstrap: "${command} ${commandArgs.join(" ")}" failed${error ? `: ${error.message}` : ""}.`);
  process.exit(status ?? 1);
}

function run(file) {
  const child = spawn(join(bin, "node"), [join(root, file), ...args], { cwd: root, env, stdio: "inherit" });
  // A terminal sends Ctrl-C to the child too; this only has to outlive it. Other senders reach this process alone.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
}
