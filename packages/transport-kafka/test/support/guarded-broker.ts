import { readFileSync } from "node:fs";
import { type Broker, type BrokerUser, type KafkaVersion, kafkaWithRights } from "@papa-events/conformance/brokers";
import type { SaslOptions } from "@papa-events/transport-kafka";
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from "kafkajs";
import { withAdmin } from "./admin.ts";
import { until } from "./wait.ts";

const SUPER = { username: "papa", password: "s3cret" };
const GUIDE = new URL("../../../../docs/brokers/kafka.md", import.meta.url);

/** What an account is granted, on names that begin with a prefix. */
export interface Grants {
  /** Topics of events. */
  readonly events?: readonly (keyof typeof AclOperationTypes)[];
  /** All other topics of the namespace. */
  readonly internal?: readonly (keyof typeof AclOperationTypes)[];
  readonly groups?: readonly (keyof typeof AclOperationTypes)[];
  /** The topic of just this name. */
  readonly exact?: readonly (keyof typeof AclOperationTypes)[];
  readonly cluster?: readonly (keyof typeof AclOperationTypes)[];
}

/** Starts a broker where every account may do only what it is granted. Its URL is that of one who may do everything. */
export function guardedBroker(version: KafkaVersion, others: readonly BrokerUser[] = []): Promise<Broker> {
  return kafkaWithRights(version, SUPER, others);
}

/** What the guide has for an account: a row of its table, which grants rights on events, internal topics, groups, the cluster. */
export function grantsOfTheGuide(account: string): Grants {
  const row = readFileSync(GUIDE, "utf8")
    .split("\n")
    .find((line) => line.startsWith(`| ${account} |`));
  if (row === undefined) throw new Error(`the guide has no account "${account}"`);
  const [events, internal, groups, cluster] = row
    .split("|")
    .slice(2, -1)
    .map((cell) => cell.split(",").flatMap((word) => operationOf(word.trim()) ?? []));
  return { events, internal, groups, cluster } as Grants;
}

/** `"DescribeConfigs"` is `DESCRIBE_CONFIGS`. */
function operationOf(word: string): keyof typeof AclOperationTypes | undefined {
  if (word === "") return undefined;
  const name = word.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  if (!(name in AclOperationTypes)) throw new Error(`the guide grants "${word}"`);
  return name as keyof typeof AclOperationTypes;
}

/** Makes a new account with these rights in a namespace, and returns how it logs in. */
export async function account(uri: string, prefix: string, name: string, grants: Grants): Promise<SaslOptions> {
  await grant(uri, prefix, { [name]: grants });
  return { mechanism: "oauthbearer", token: async () => tokenOf(name) };
}

/** Gives accounts these rights in a namespace, and waits until they have them. */
export async function grant(uri: string, prefix: string, accounts: Readonly<Record<string, Grants>>): Promise<void> {
  const acl = Object.entries(accounts).flatMap(([name, grants]) => entriesOf(prefix, `User:${name}`, grants));
  if (acl.length === 0) return;
  await withAdmin(uri, async (admin) => {
    await admin.createAcls({ acl });
    // The controller knows them first.
    await until("the broker knows them", async () => {
      const known = await Promise.all(
        Object.keys(accounts).map((name) =>
          admin.describeAcls({
            resourceType: AclResourceTypes.ANY,
            resourcePatternType: ResourcePatternTypes.ANY,
            operation: AclOperationTypes.ANY,
            permissionType: AclPermissionTypes.ANY,
            principal: `User:${name}`,
          }),
        ),
      );
      const keys = known.flatMap(({ resources }) =>
        resources.flatMap(({ acls, resourceName }) => acls.map(({ principal }) => `${principal} ${resourceName}`)),
      );
      return acl.every(({ principal, resourceName }) => keys.includes(`${principal} ${resourceName}`));
    });
  });
}

function entriesOf(prefix: string, principal: string, grants: Grants) {
  const kinds = [
    [AclResourceTypes.TOPIC, `${prefix}.`, ResourcePatternTypes.PREFIXED, grants.events],
    [AclResourceTypes.TOPIC, `${prefix}--`, ResourcePatternTypes.PREFIXED, grants.internal],
    [AclResourceTypes.TOPIC, prefix, ResourcePatternTypes.LITERAL, grants.exact],
    [AclResourceTypes.GROUP, `${prefix}--`, ResourcePatternTypes.PREFIXED, grants.groups],
    [AclResourceTypes.CLUSTER, "kafka-cluster", ResourcePatternTypes.LITERAL, grants.cluster],
  ] as const;
  return kinds.flatMap(([resourceType, resourceName, resourcePatternType, operations = []]) =>
    operations.map((operation) => ({
      resourceType,
      resourceName,
      resourcePatternType,
      principal,
      host: "*",
      operation: AclOperationTypes[operation],
      permissionType: AclPermissionTypes.ALLOW,
    })),
  );
}

/** Makes an unsigned token, which the broker's own validator for tests accepts. */
function tokenOf(subject: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Date.now() / 1_000;
  return `${part({ alg: "none" })}.${part({ sub: subject, iat: now - 60, exp: now + 600 })}.`;
}
