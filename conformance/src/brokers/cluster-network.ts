import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { type EventEmitter, once } from "node:events";
import { createServer, Socket } from "node:net";
import { extname } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { freePorts } from "./net.ts";
import type { RelayOrder } from "./relay.ts";
import { has, run } from "./shell.ts";
import type { Command } from "./spec.ts";

const RELAY = fileURLToPath(new URL(`./relay${extname(import.meta.url)}`, import.meta.url));

/** The last part of the addresses of the relay inside, and of the one that leads to any node. */
const RELAY_ID = 254;
const ANY_ID = 100;

/**
 * A network whose addresses are of the loopback range and yet lead to others: so a node has one address, the same for its
 * peers and for the programs of this machine, and nothing of it is left on the machine.
 */
const LOOPBACK = `
ip link set lo up
ip address delete 127.0.0.1/8 dev lo
ip address add 127.0.0.1/32 dev lo
echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
`;

/** Every node is plugged into a switch with its peers, and by a link of its own to the relay. */
const RELAY_IN_NETWORK = `
set -eu
net=$1; shift
${LOOPBACK}
ip address add "$net.${RELAY_ID}/32" dev lo
ip link add name switch type bridge
ip link set switch up
exec "$@"
`;

/** Does nothing and keeps a node's network, also while the node is dead, until its standard input ends: with the run. */
const KEEPER = `
set -eu
net=$1 id=$2
${LOOPBACK}
echo made
read -r linked
ip address add "$net.$id/24" dev peers
ip link set peers up
ip link set clients up
ip route add "$net.${RELAY_ID}/32" dev clients src "$net.$id"
echo linked
exec cat
`;

const MAKE_LINKS = `
set -eu
net=$1 id=$2 keeper=$3
ip link add name "peers$id" type veth peer name peers netns "$keeper"
ip link add name "clients$id" type veth peer name clients netns "$keeper"
ip link set "peers$id" master switch up
ip link set "clients$id" up
ip route add "$net.$id/32" dev "clients$id" src "$net.${RELAY_ID}"
`;

type Keeper = ChildProcessByStdio<Writable, Readable, null>;

/** A network for the nodes of a cluster, each in a namespace of its own; all of it ends with the run. */
export class ClusterNetwork {
  /** The port that every node listens on. */
  readonly port: number;
  /** The address of each node, in the order of their ids, which begin at 1. */
  readonly hosts: readonly string[];
  /** An address that leads to whichever node accepts, as a load balancer's. */
  readonly anyHost: string;
  readonly #net: string;
  readonly #relay: ChildProcess;
  readonly #keepers: readonly Keeper[];

  private constructor(net: string, port: number, relay: ChildProcess, keepers: readonly Keeper[]) {
    this.port = port;
    this.hosts = keepers.map((_, index) => `${net}.${index + 1}`);
    this.anyHost = `${net}.${ANY_ID}`;
    this.#net = net;
    this.#relay = relay;
    this.#keepers = keepers;
  }

  /** @param ports how many ports of each node clients reach, one after another. @throws Error */
  static async create(nodes: number, ports: number): Promise<ClusterNetwork> {
    if (process.getuid?.() !== 0) throw new Error("networks of their own (unshare) need root");
    for (const tool of ["ip", "unshare", "nsenter"])
      if (!(await has(tool))) throw new Error(`a network for a cluster needs ${tool}`);
    const [port = 0] = await freePorts(1);
    const net = `127.${randomInt(1, 255)}.${randomInt(0, 255)}`;
    const relay = spawn("unshare", ["--net", ...shell(RELAY_IN_NETWORK, net, process.execPath, RELAY)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const keepers = Array.from({ length: nodes }, (_, index) =>
      spawn("unshare", ["--net", ...shell(KEEPER, net, String(index + 1))], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    for (const child of [relay, ...keepers]) child.on("error", () => {});
    const network = new ClusterNetwork(net, port, relay, keepers);
    try {
      await network.#connect(ports);
      network.#unref();
    } catch (error) {
      network.close();
      throw error;
    }
    return network;
  }

  /** What runs a command in a node's namespace. */
  enter(id: number, command: Command): Command {
    return entering(this.#keepers[id - 1], command);
  }

  /** What runs a command where all nodes are reached. */
  inside(command: Command): Command {
    return entering(this.#relay, command);
  }

  /** Nothing that a node and the others send one another arrives any more, in silence; clients reach all of them. */
  async isolate(id: number): Promise<void> {
    await this.#inside(`ip link set peers${id} nomaster`);
  }

  async rejoin(id: number): Promise<void> {
    await this.#inside(`ip link set peers${id} master switch`);
  }

  close(): void {
    if (this.#relay.connected) this.#relay.disconnect();
    for (const keeper of this.#keepers) keeper.stdin?.end();
  }

  async #connect(ports: number): Promise<void> {
    await Promise.all([next(this.#relay, this.#relay, "message"), ...this.#keepers.map(answer)]);
    for (const [index, keeper] of this.#keepers.entries())
      await this.#inside(MAKE_LINKS, this.#net, String(index + 1), String(keeper.pid));
    const linked = this.#keepers.map(answer);
    for (const { stdin } of this.#keepers) stdin.write("linked\n");
    await Promise.all(linked);
    for (const host of this.hosts)
      for (let more = 0; more < ports; more += 1) await this.#relayTo(host, { hosts: [host], port: this.port + more });
    await this.#relayTo(this.anyHost, { hosts: this.hosts, port: this.port });
  }

  /** A network alone keeps no process alive. */
  #unref(): void {
    for (const child of [this.#relay, ...this.#keepers]) child.unref();
    this.#relay.channel?.unref();
    // Pipes of processes are sockets here.
    for (const pipe of this.#keepers.flatMap(({ stdin, stdout }) => [stdin, stdout]))
      if (pipe instanceof Socket) pipe.unref();
  }

  async #inside(script: string, ...args: readonly string[]): Promise<void> {
    const [command = "", ...rest] = shell(script, ...args);
    const inside = this.inside({ command, args: rest });
    await run(inside.command, inside.args);
  }

  /** Listens here, and leaves it to the relay. */
  async #relayTo(host: string, order: RelayOrder): Promise<void> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(order.port, host, resolve));
    const taken = next(this.#relay, this.#relay, "message");
    await new Promise<void>((resolve, reject) =>
      this.#relay.send(order, server, (error) => (error === null ? resolve() : reject(error))),
    );
    await taken;
    await new Promise((resolve) => server.close(resolve));
  }
}

function shell(script: string, ...args: readonly string[]): string[] {
  return ["sh", "-c", script, "in-network", ...args];
}

function entering(child: ChildProcess | undefined, { command, args }: Command): Command {
  return { command: "nsenter", args: [`--net=/proc/${child?.pid}/ns/net`, command, ...args] };
}

/** What a keeper says next. */
function answer(keeper: Keeper): Promise<void> {
  return next(keeper, keeper.stdout, "data");
}

/** Resolves at an event of a process. @throws Error when it ends before */
async function next(child: ChildProcess, emitter: EventEmitter, event: string): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(child, "exit", { signal }).then(() => {
    throw new Error("no network of its own could be made (unshare, ip)");
  });
  try {
    await Promise.race([once(emitter, event, { signal }), ended]);
  } finally {
    ended.catch(() => {});
    over.abort();
  }
}
