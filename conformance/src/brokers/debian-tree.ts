import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { announce, cacheFolder } from "./cache.ts";
import { has, run } from "./shell.ts";
import type { DebianRelease, DebianSource } from "./spec.ts";

/** What each release is fetched for. */
const PACKAGES: Readonly<Record<DebianRelease, readonly string[]>> = {
  bookworm: ["rabbitmq-server", "redis-server"],
  trixie: ["rabbitmq-server", "redis-server", "valkey-server"],
  forky: ["rabbitmq-server", "valkey-server"],
};

/**
 * Makes a tree under a lock, so that runs at the same time share one, and under another name until it is whole. The
 * tool itself is unpacked into the cache where the system has none: nothing is installed. Its script for unstable makes
 * every newer release, whose own an older tool does not know.
 */
const MAKE = `
set -eu
tree=$1 tools=$2 release=$3 packages=$4 mirror=$5
[ -e "$tree/.complete" ] && exit 0
bootstrap=debootstrap
scripts=/usr/share/debootstrap/scripts
if ! command -v debootstrap >/dev/null; then
  bootstrap="$tools/usr/sbin/debootstrap"
  export DEBOOTSTRAP_DIR="$tools/usr/share/debootstrap"
  scripts="$DEBOOTSTRAP_DIR/scripts"
  if [ ! -e "$bootstrap" ]; then
    mkdir -p "$tools/lists/partial" "$tools/archives/partial"
    cd "$tools"
    own="-o Dir::State::lists=$tools/lists -o Dir::Cache::archives=$tools/archives -o APT::Sandbox::User=root"
    apt-get -qq -o APT::Sandbox::User=root download debootstrap 2>/dev/null ||
      { apt-get -qq $own update && apt-get -qq $own download debootstrap; }
    dpkg -x debootstrap_*.deb "$tools"
  fi
fi
[ -e "$scripts/$release" ] && script="$scripts/$release" || script="$scripts/sid"
rm -rf "$tree" "$tree.part"
sh "$(command -v "$bootstrap")" --variant=minbase --include="$packages" "$release" "$tree.part" "$mirror" "$script" >"$tree.log" 2>&1 ||
  { tail -n 3 "$tree.log" >&2; exit 1; }
rm -rf "$tree.part/var/cache/apt" "$tree.part/var/lib/apt/lists"
touch "$tree.part/.complete"
mv "$tree.part" "$tree"
`;

/** Unpacks packages of another suite of the same mirror over a tree, once; its own keys say whether they are Debian's. */
const ADD = `
set -eu
tree=$1 mark=$2 suite=$3; shift 3
[ -e "$tree/$mark" ] && exit 0
work="$tree.newer"
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/debs"
mirror=$(sed -n 's/^deb \\(\\[[^]]*\\] \\)\\{0,1\\}\\([^ ]*\\) .*/\\2/p' "$tree/etc/apt/sources.list" | head -n 1)
echo "deb [signed-by=$tree/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/sources.list"
own="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$work/lists -o Dir::Cache::archives=$work/archives -o APT::Sandbox::User=root"
apt-get -qq $own update
cd "$work/debs"
apt-get -qq $own download "$@"
for deb in *.deb; do dpkg -x "$deb" "$tree"; done
touch "$tree/$mark"
rm -rf "$work"
`;

/** The folder of a Debian release with a broker in it, fetched if it is not there. @throws Error */
export async function debianTree(source: DebianSource, why: string): Promise<string> {
  const { release, newer } = source;
  const tree = join(cacheFolder("trees"), release);
  if (process.getuid?.() !== 0) throw new Error("running programs of a Debian tree (chroot) needs root");
  if (!existsSync(join(tree, ".complete"))) {
    const packages = PACKAGES[release].join(",");
    const args = [tree, cacheFolder("tools"), release, packages, await mirror()];
    await fetch(`Debian ${release} with ${packages}`, "some 400 MB", why, MAKE, args);
  }
  if (newer === undefined) checkVersion(tree, source);
  else await add(tree, source, newer, why);
  return tree;
}

/** A release that is still made may have moved on since its version was written here. */
function checkVersion(tree: string, { release, package: name, version }: DebianSource): void {
  const installed = readFileSync(join(tree, "var/lib/dpkg/status"), "utf8")
    .split("\n\n")
    .find((entry) => entry.startsWith(`Package: ${name}\n`));
  const found = /^Version: (?:\d+:)?(.*)$/m.exec(installed ?? "")?.[1] ?? "none";
  if (!found.startsWith(`${version}.`)) throw new Error(`Debian ${release} has ${name} ${found}, not ${version}`);
}

async function add(
  tree: string,
  { package: name, version }: DebianSource,
  { suite, packages }: NonNullable<DebianSource["newer"]>,
  why: string,
): Promise<void> {
  const mark = `.${name}-${version}-of-${suite}`;
  if (existsSync(join(tree, mark))) return;
  const what = `${packages.join(" and ")} of Debian ${suite}`;
  await fetch(what, "some 2 MB", why, ADD, [tree, mark, suite, ...packages]);
}

/** Runs a script under the tree's lock, and says what for. */
async function fetch(what: string, size: string, why: string, script: string, args: readonly string[]): Promise<void> {
  for (const tool of ["apt-get", "dpkg", "flock", "unshare"])
    if (!(await has(tool))) throw new Error(`fetching a Debian tree needs ${tool}`);
  const [tree = ""] = args;
  announce(`fetching ${what} into ${tree}, once, ${size}; ${why}`);
  const started = performance.now();
  await run("flock", [`${tree}.lock`, "sh", "-c", script, "fetch", ...args]);
  announce(`${what}: there, after ${Math.round((performance.now() - started) / 1_000)} s`);
}

/** The mirror that the machine itself uses; else the tool's own default. */
async function mirror(): Promise<string> {
  const { PAPA_EVENTS_DEBIAN_MIRROR: own } = process.env;
  if (own) return own;
  try {
    const sources = await run("apt-get", ["indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages"]);
    const main = sources.split("\n").find((line) => /^Debian .*\/debian\/?$/.test(line));
    return main?.split(" ")[1] ?? "";
  } catch {
    return "";
  }
}
