// A registry that mirrors only some platforms makes `npm install` leave the others' packages out of the lock, and then
// `npm ci` refuses the lock everywhere. This puts them back: name, version, and the platform, which their names tell.
import { readFileSync, writeFileSync } from "node:fs";

const file = "package-lock.json";
const lock = JSON.parse(readFileSync(file, "utf8"));
const packages = lock.packages;
const systems = {
  android: "android",
  darwin: "darwin",
  freebsd: "freebsd",
  linux: "linux",
  openharmony: "openharmony",
  win32: "win32",
  windows: "win32",
};
const processors = {
  64: "x64",
  arm: "arm",
  arm64: "arm64",
  ia32: "ia32",
  ppc64: "ppc64",
  riscv64: "riscv64",
  s390x: "s390x",
  x64: "x64",
};

const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
  Object.entries(optionalDependencies).filter(([name]) => !isLocked(path, name)),
);
for (const [name, version] of missing) {
  packages[`node_modules/${name}`] = { version, ...platform(name), optional: true, dev: true };
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${file}: ${missing.length} packages of other platforms added.`);

/** Whether a package that `path` asks for is in the lock, beside it or further up. */
function isLocked(path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf("/node_modules/"), 0))) {
    if (packages[`${folder === "" ? "" : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === "") return false;
  }
}

function platform(name) {
  const words = name.slice(name.lastIndexOf("/") + 1).split("-");
  const of = (known) => words.flatMap((word) => (Object.hasOwn(known, word) ? [known[word]] : []));
  const libc = words.some((word) => word.startsWith("musl"))
    ? ["musl"]
    : words.some((word) => word.startsWith("gnu"))
      ? ["glibc"]
      : undefined;
  return { os: of(systems), cpu: of(processors), ...(libc === undefined ? {} : { libc }) };
}
