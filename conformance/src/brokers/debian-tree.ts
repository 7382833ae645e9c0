import { existsSync } from "node:fs";
import { join } from "node:path";
import { announce, cacheFolder } from "./cache.ts";
import { has, run } from "./shell.ts";
import type { DebianRelease } from "./spec.ts";

/** What each release is fetched for. */
const PACKAGES: Readonly<Record<DebianRelease, readonly string[]>> = {
  bookworm: ["rabbitmq-server", "redis-server"],
  trixie: ["rabbitmq-server", "redis-server", "valkey-server"],
};

/**
 * Makes a tree under a lock, so that runs at the same time share one, and under another name until it is whole. The
 * tool itself is unpacked into the cache where the system has none: nothing is installed.
 */
const MAKE = `
set -eu
tree=$1 tools=$2 release=$3 packages=$4 mirror=$5
[ -e "$tree/.complete" ] && exit 0
bootstrap=debootstrap
if ! command -v debootstrap >/dev/null; then
  bootstrap="$tools/usr/sbin/debootstrap"
  export DEBOOTSTRAP_DIR="$tools/usr/share/debootstrap"
  if [ ! -e "$bootstrap" ]; then
    mkdir -p "$tools/lists/partial" "$tools/archives/partial"
    cd "$tools"
    own="-o Dir::State::lists=$tools/lists -o Dir::Cache::archives=$tools/archives -o APT::Sandbox::User=root"
    apt-get -qq -o APT::Sandbox::User=root download debootstrap 2>/dev/null ||
      { apt-get -qq $own update && apt-get -qq $own download debootstrap; }
    dpkg -x debootstrap_*.deb "$tools"
  fi
fi
rm -rf "$tree" "$tree.part"
sh "$(command -v "$bootstrap")" --variant=minbase --include="$packages" "$release" "$tree.part" $mirror >"$tree.log" 2>&1 ||
  { tail -n 3 "$tree.log" >&2; exit 1; }
rm -rf "$tree.part/var/cache/apt" "$tree.part/var/lib/apt/lists"
touch "$tree.part/.complete"
mv "$tree.part" "$tree"
`;

/** The folder of a Debian release with brokers in it, fetched if it is not there. @throws Error */
export async function debianTree(release: DebianRelease, why: string): Promise<string> {
  const tree = join(cacheFolder("trees"), release);
  if (process.getuid?.() !== 0) throw new Error("running programs of a Debian tree (chroot) needs root");
  if (existsSync(join(tree, ".complete"))) return tree;
  for (const tool of ["apt-get", "dpkg", "flock", "unshare"])
    if (!(await has(tool))) throw new Error(`fetching a Debian tree needs ${tool}`);
  const packages = PACKAGES[release].join(",");
  announce(`fetching Debian ${release} with ${packages} into ${tree}, once, some 400 MB; ${why}`);
  const started = performance.now();
  const args = [tree, cacheFolder("tools"), release, packages, await mirror()];
  await run("flock", [`${tree}.lock`, "sh", "-c", MAKE, "make-tree", ...args]);
  announce(`Debian ${release} is there, after ${Math.round((performance.now() - started) / 1_000)} s`);
  return tree;
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
