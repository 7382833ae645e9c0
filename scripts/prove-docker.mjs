// Proves the Docker way of having brokers for tests on a machine that has neither a daemon nor a registry of images:
// Debian's daemon, unpacked into the cache and installed nowhere; images made of the trees that the native way has fetched
// (run the tests of the brokers natively first). As root, on Debian.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const { PAPA_EVENTS_CACHE: own, XDG_CACHE_HOME: user } = process.env;
const cache = own || join(user || join(homedir(), ".cache"), "papa-events");
const packages = [
  "docker.io",
  "containerd",
  "runc",
  "iptables",
  "libnftnl11",
  "libxtables12",
  "libip4tc2",
  "libip6tc2",
];
const libraries = ["libnetfilter-conntrack3", "libnfnetlink0", "libmnl0"];
const rabbitMq = [
  'CMD ["/usr/lib/rabbitmq/bin/rabbitmq-server"]',
  "ENV HOME=/var/lib/rabbitmq",
  // As the official image does: guests may come from outside the container.
  `ENV RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-rabbit loopback_users []"`,
];

/** The images: by the variable that names them, the tree they are made of and what is said about them. */
const images = [
  ["RABBITMQ_3_10", "bookworm", rabbitMq],
  ["RABBITMQ_4_0", "trixie", rabbitMq],
  ["RABBITMQ_4_3", "forky", rabbitMq],
  ["REDIS_7_0", "bookworm", []],
  ["REDIS_8_0", "trixie", []],
  ["REDIS_8_6", "forky", []],
  ["VALKEY_8_1", "trixie", []],
  ["VALKEY_9_1", "forky", []],
];

/** Takes every rule that names a chain of Docker's out of both tables, then the chains. */
const REMOVE_CHAINS = `
for table in filter nat; do
  iptables -t $table -S | grep -E '^-A .*(DOCKER|docker0|172\\.17\\.)' | sed 's/^-A/-D/' | while read -r rule; do iptables -t $table $rule; done
  iptables -t $table -S | grep -E '^-N DOCKER' | sed 's/^-N/-F/' | while read -r rule; do iptables -t $table $rule; done
  iptables -t $table -S | grep -E '^-N DOCKER' | sed 's/^-N/-X/' | while read -r rule; do iptables -t $table $rule; done
done
iptables -P FORWARD ACCEPT
`;

const folder = mkdtempSync(join(tmpdir(), "papa-events-docker-"));
const socket = `unix://${join(folder, "docker.sock")}`;
const unpacked = unpack();
const libraryFolders = readdirSync(join(unpacked, "usr", "lib"))
  .filter((name) => name.endsWith("-linux-gnu"))
  .map((name) => join(unpacked, "usr", "lib", name));
const env = {
  ...process.env,
  PATH: [join(unpacked, "links"), join(unpacked, "usr", "sbin"), join(unpacked, "usr", "bin"), process.env.PATH].join(
    ":",
  ),
  LD_LIBRARY_PATH: libraryFolders.join(":"),
  XTABLES_LIBDIR: join(libraryFolders[0] ?? "", "xtables"),
};

const log = openSync(join(folder, "dockerd.log"), "a");
const places = ["data-root", "exec-root", "pidfile"].map((name) => `--${name}=${join(folder, name)}`);
const daemon = spawn("dockerd", ["--host", socket, ...places], { env, stdio: ["ignore", log, log] });
process.on("SIGINT", () => void end(130));
process.on("SIGTERM", () => void end(143));

await untilReady();
const names = Object.fromEntries(images.map((image) => [`PAPA_EVENTS_IMAGE_${image[0]}`, importImage(...image)]));
const tests = ["rabbitmq", "redis"].map((name) => `conformance/test/brokers/${name}.test.ts`);
const { status } = spawnSync("vitest", ["run", "--project", "conformance", ...tests], {
  stdio: "inherit",
  env: {
    ...process.env,
    ...names,
    PAPA_EVENTS_BROKERS: "docker",
    PAPA_EVENTS_ALL_VERSIONS: "1",
    DOCKER_HOST: socket,
    // Its image cannot be pulled either; containers end with this daemon.
    TESTCONTAINERS_RYUK_DISABLED: "true",
  },
});
await end(status ?? 1);

function unpack() {
  const target = join(cache, "docker");
  if (existsSync(join(target, "links", "iptables"))) return target;
  console.log(`Fetching Debian's ${packages.join(", ")} into ${target}, once ...`);
  mkdirSync(join(target, "links"), { recursive: true });
  const debs = mkdtempSync(join(tmpdir(), "papa-events-debs-"));
  run("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", ...packages, ...libraries], { cwd: debs });
  for (const deb of readdirSync(debs)) run("dpkg", ["-x", join(debs, deb), target]);
  rmSync(debs, { recursive: true });
  // What the packages' installation would link.
  for (const name of ["iptables", "ip6tables"])
    symlinkSync(join(target, "usr", "sbin", "xtables-nft-multi"), join(target, "links", name));
  return target;
}

async function untilReady() {
  for (let tries = 0; tries < 300; tries += 1) {
    if (docker(["version"], { stdio: "ignore" }).status === 0) return;
    if (daemon.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  console.error(readFileSync(join(folder, "dockerd.log"), "utf8").split("\n").slice(-15).join("\n"));
  console.error("prove-docker: the daemon does not start.");
  await end(1);
}

/** Makes an image of a tree, and returns its name. */
function importImage(name, release, changes) {
  const image = `papa-events-${name.toLowerCase()}:local`;
  const tree = join(cache, "trees", release);
  const options = changes.map((change) => `--change '${change}'`).join(" ");
  run(
    "sh",
    [
      "-c",
      `tar -C "$1" --exclude=./proc/* --exclude=./dev/* -c . | docker import ${options} - "$2"`,
      "import",
      tree,
      image,
    ],
    {
      env: { ...env, DOCKER_HOST: socket },
    },
  );
  return image;
}

function docker(args, options) {
  return spawnSync("docker", args, { env: { ...env, DOCKER_HOST: socket }, ...options });
}

function run(command, args, options = {}) {
  const { status: code, error } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], ...options });
  if (code !== 0) throw new Error(`${command} failed${error ? `: ${error.message}` : ""}`);
}

async function end(code) {
  if (daemon.exitCode === null) {
    const gone = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill("SIGTERM");
    await gone;
    // The daemon leaves its bridge and its chains behind; none of them was there before, or there would have been a daemon.
    spawnSync("ip", ["link", "delete", "docker0"], { stdio: "ignore" });
    spawnSync("sh", ["-c", REMOVE_CHAINS], { env, stdio: "ignore" });
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}
