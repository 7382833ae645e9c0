import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunningBroker } from "./broker.ts";
import { debianTree } from "./debian-tree.ts";
import { mavenJars } from "./maven-jars.ts";
import { NativeProcess } from "./native-process.ts";
import { freePorts, LOCAL } from "./net.ts";
import { run } from "./shell.ts";
import type { BrokerSpec, Command, Launch } from "./spec.ts";

/** How many free ports a broker may use beside the one it listens on. */
const PORTS = 3;

/** Where a tree has the broker's data folder. */
const INSIDE = "/mnt";

/**
 * Runs a program of a tree: in a namespace of mounts, so that they are gone with it, and of processes, so that whatever
 * it starts dies with it. Where /proc cannot be mounted anew, the machine's does.
 */
const IN_TREE = `
set -eu
tree=$1 folder=$2; shift 2
mount --make-rprivate /
mount -t proc proc "$tree/proc" 2>/dev/null || mount --rbind /proc "$tree/proc"
mount --rbind /dev "$tree/dev"
mount --bind "$folder" "$tree${INSIDE}"
hosts=/etc/hosts
[ -e "$folder/hosts" ] && hosts="$folder/hosts"
mount --bind "$hosts" "$tree/etc/hosts" 2>/dev/null || cp "$hosts" "$tree/etc/hosts"
exec chroot "$tree" "$@"
`;

/** Where a broker runs that is one of a cluster. */
export interface Site {
  readonly host: string;
  readonly ports: readonly number[];
  /** What runs a command there. */
  readonly enter: (command: Command) => Command;
}

/** Runs a broker without Docker. @throws Error */
export async function startNatively(spec: BrokerSpec, why: string, site?: Site): Promise<RunningBroker> {
  const ports = site?.ports ?? (await freePorts(PORTS));
  const [port] = ports;
  if (port === undefined) throw new Error("no free port");
  const { native, kind, version } = spec;
  const name = `${kind}-${version}`;
  let first: Launch | undefined;
  let launchOf: ConstructorParameters<typeof NativeProcess>[1];
  if (native.from === "tree") {
    const tree = await debianTree(native.source, why);
    launchOf = (folder) => {
      const launch = native.run(INSIDE, ports);
      first = launch;
      const unshared = ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", IN_TREE, "in-tree", tree, folder];
      return {
        command: "unshare",
        args: [...unshared, launch.command, ...launch.args],
        environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...launch.environment },
      };
    };
  } else {
    const jars = await mavenJars(native.artifact, native.version, why);
    launchOf = (folder) => {
      const launch = native.run(folder, ports, jars);
      first = launch;
      return { command: launch.command, args: launch.args, environment: launch.environment ?? {} };
    };
  }
  const broker = new NativeProcess(name, (folder) => {
    const { environment, ...command } = launchOf(folder);
    return { ...(site?.enter(command) ?? command), environment };
  });
  // Erlang takes no secret that others may read.
  for (const [file, text] of Object.entries(first?.files ?? {}))
    writeFileSync(join(broker.folder, file), text, { mode: 0o600 });
  if (first?.before !== undefined) await run(first.before.command, first.before.args);
  broker.start();
  return {
    way: "native",
    host: site?.host ?? LOCAL,
    port,
    folder: broker.folder,
    lastWords: () => broker.lastWords(),
    control: {
      kill: () => broker.kill(),
      start: async () => {
        await broker.kill();
        broker.start();
      },
      pause: () => broker.pause(),
      resume: async () => broker.resume(),
      stop: (failed) => broker.stop(failed),
    },
  };
}
