import { createHash } from "node:crypto";
import { LOCAL } from "./net.ts";
import type { BrokerSpec, DebianRelease } from "./spec.ts";

/** The versions that tests run on, and the Debian releases that have them. */
const RELEASES = { "3.10": "bookworm", "4.0": "trixie", "4.3": "forky" } as const satisfies Record<
  string,
  DebianRelease
>;

/**
 * What falls due while a broker starts finds no exchanges yet (RabbitMQ's Mnesia has them behind the queues), and waits
 * until the dead-letter worker tries again: 3 minutes later, unless this says so. As `docs/brokers/rabbitmq.md` advises.
 */
const SOON_AGAIN = "-rabbit dead_letter_worker_publisher_confirm_timeout 2000";

/** Nodes that hear nothing of one another notice within some seconds, not a minute. */
const SOON_MISSED = "-kernel net_ticktime 6";

export type RabbitMqVersion = keyof typeof RELEASES;

/** An account, and what it may make, write to and read from: regular expressions of names. */
export interface RabbitMqAccount {
  readonly user: string;
  readonly password: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** An account that may use whatever exists and make nothing, for tests of what a broker refuses; not on one from the environment. */
export const LIMITED: RabbitMqAccount = {
  user: "limited",
  password: "limited-s3cret",
  configure: "^$",
  write: ".*",
  read: ".*",
};

/** What the nodes of a cluster have in common, and which of them one is. */
export interface RabbitMqNode {
  /** From 1. */
  readonly id: number;
  /** The address of each node, in the order of their ids. */
  readonly hosts: readonly string[];
  /** What they know one another by. */
  readonly secret: string;
}

/** A RabbitMQ, alone or one node of several. Besides `guest`, who may do anything, it has these accounts and {@link LIMITED}. */
export function rabbitMqSpec(
  version: RabbitMqVersion,
  node?: RabbitMqNode,
  accounts: readonly RabbitMqAccount[] = [],
): BrokerSpec {
  return {
    kind: "rabbitmq",
    version,
    uri: (host, port) => `amqp://guest:guest@${host}:${port}`,
    // The protocol header; a broker answers with a method frame (type 1), one that does not serve yet with nothing.
    hello: Buffer.from("AMQP\u0000\u0000\u0009\u0001", "latin1"),
    serves: (answer) => answer[0] === 1,
    docker: {
      image: `rabbitmq:${version}`,
      port: 5_672,
      environment: { RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-rabbit loopback_users [] ${SOON_AGAIN}` },
      files: () => ({
        "/etc/rabbitmq/definitions.json": definitions(accounts),
        "/etc/rabbitmq/conf.d/20-definitions.conf": configuration("/etc/rabbitmq/definitions.json"),
      }),
    },
    native: {
      from: "tree",
      source: { release: RELEASES[version], package: "rabbitmq-server", version },
      run: (folder, [port = 0, distribution = 0, mapper = 0]) => ({
        command: "/usr/lib/rabbitmq/bin/rabbitmq-server",
        args: [],
        environment: {
          HOME: folder,
          RABBITMQ_NODENAME: node === undefined ? "papa@localhost" : nodeName(node.id),
          RABBITMQ_NODE_IP_ADDRESS: node?.hosts[node.id - 1] ?? LOCAL,
          RABBITMQ_NODE_PORT: String(port),
          RABBITMQ_DIST_PORT: String(distribution),
          // A port mapper of its own: one that is shared would outlive this broker or end with another.
          ERL_EPMD_PORT: String(mapper),
          RABBITMQ_MNESIA_BASE: `${folder}/data`,
          RABBITMQ_LOG_BASE: `${folder}/log`,
          RABBITMQ_LOGS: "-",
          RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq.conf`,
          RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/enabled_plugins`,
          RABBITMQ_PID_FILE: `${folder}/rabbit.pid`,
          // Idle schedulers that spin take the tests' processors.
          RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none ${SOON_AGAIN} ${node === undefined ? "" : SOON_MISSED}`,
        },
        files: {
          enabled_plugins: "[].\n",
          "rabbitmq.conf": `${configuration(`${folder}/definitions.json`)}${node === undefined ? "" : clustered(node)}`,
          "definitions.json": definitions(accounts),
          ...(node !== undefined && { hosts: hostsFile(node), ".erlang.cookie": node.secret }),
        },
      }),
    },
  };
}

function nodeName(id: number): string {
  return `papa@node${id}`;
}

function hostsFile({ hosts }: RabbitMqNode): string {
  const nodes = hosts.map((host, index) => `${host} node${index + 1}\n`);
  return `${LOCAL} localhost\n${nodes.join("")}`;
}

function clustered({ hosts }: RabbitMqNode): string {
  const nodes = hosts.map(
    (_, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${nodeName(index + 1)}\n`,
  );
  return `cluster_formation.peer_discovery_backend = classic_config\n${nodes.join("")}cluster_partition_handling = pause_minority\n`;
}

function configuration(file: string): string {
  return `load_definitions = ${file}\n`;
}

/** Where definitions are given the broker makes no account by itself. */
function definitions(accounts: readonly RabbitMqAccount[]): string {
  const guest: RabbitMqAccount = { user: "guest", password: "guest", configure: ".*", write: ".*", read: ".*" };
  const all = [guest, LIMITED, ...accounts];
  return JSON.stringify({
    vhosts: [{ name: "/" }],
    users: all.map(({ user, password }) => login(user, password, user === guest.user ? "administrator" : "")),
    permissions: all.map(({ password: _, ...rights }) => ({ ...rights, vhost: "/" })),
  });
}

/** A password as the broker keeps it: a salt of four bytes, then the hash of both. */
function login(name: string, password: string, tags: string) {
  const salt = Buffer.from("salt");
  const hash = createHash("sha256").update(salt).update(password).digest();
  return {
    name,
    password_hash: Buffer.concat([salt, hash]).toString("base64"),
    hashing_algorithm: "rabbit_password_hashing_sha256",
    tags,
  };
}
