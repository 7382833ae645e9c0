import type { Broker, KafkaVersion } from "@papa-events/conformance/brokers";
import type { SaslOptions } from "@papa-events/transport-kafka";
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from "kafkajs";
import { kafkaSaslSpec } from "../../../../conformance/src/brokers/kafka-sasl.ts";
import { startBroker } from "../../../../conformance/src/brokers/start.ts";
import { withAdmin } from "./admin.ts";
import { until } from "./wait.ts";

const SUPER = { username: "papa", password: "s3cret" };
/** Controllers and brokers know each other without a login here. */
const AUTHORIZER = [
  "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
  `super.users=User:${SUPER.username};User:ANONYMOUS`,
].join("\n");

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
export function guardedBroker(version: KafkaVersion): Promise<Broker> {
  const spec = kafkaSaslSpec(version, SUPER);
  const { docker, native } = spec;
  const guarded = (files: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(files).map(([path, text]) => [path, `${text}${AUTHORIZER}\n`]));
  if (native.from !== "jars") throw new Error("a Kafka comes as jars");
  return startBroker({
    ...spec,
    kind: "kafka_acl",
    docker: { ...docker, files: (host, port) => guarded(docker.files?.(host, port)) },
    native: {
      ...native,
      run: (folder, ports, jars) => {
        const launch = native.run(folder, ports, jars);
        return { ...launch, files: guarded(launch.files) };
      },
    },
  });
}

/** Makes a new account with these rights in a namespace, and returns how it logs in. */
export async function account(uri: string, prefix: string, name: string, grants: Grants): Promise<SaslOptions> {
  const principal = `User:${name}`;
  const kinds = [
    [AclResourceTypes.TOPIC, `${prefix}.`, ResourcePatternTypes.PREFIXED, grants.events],
    [AclResourceTypes.TOPIC, `${prefix}--`, ResourcePatternTypes.PREFIXED, grants.internal],
    [AclResourceTypes.TOPIC, prefix, ResourcePatternTypes.LITERAL, grants.exact],
    [AclResourceTypes.GROUP, `${prefix}--`, ResourcePatternTypes.PREFIXED, grants.groups],
    [AclResourceTypes.CLUSTER, "kafka-cluster", ResourcePatternTypes.LITERAL, grants.cluster],
  ] as const;
  const acl = kinds.flatMap(([resourceType, resourceName, resourcePatternType, operations = []]) =>
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
  if (acl.length > 0)
    await withAdmin(uri, async (admin) => {
      await admin.createAcls({ acl });
      // The controller knows them first.
      await until("the broker knows them", async () => {
        const { resources } = await admin.describeAcls({
          resourceType: AclResourceTypes.ANY,
          resourcePatternType: ResourcePatternTypes.ANY,
          operation: AclOperationTypes.ANY,
          permissionType: AclPermissionTypes.ANY,
          principal,
        });
        const known = resources.flatMap(({ acls, resourceName }) => acls.map(() => resourceName));
        return acl.every(({ resourceName }) => known.includes(resourceName));
      });
    });
  return { mechanism: "oauthbearer", token: async () => tokenOf(name) };
}

/** Makes an unsigned token, which the broker's own validator for tests accepts. */
function tokenOf(subject: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Date.now() / 1_000;
  return `${part({ alg: "none" })}.${part({ sub: subject, iat: now - 60, exp: now + 600 })}.`;
}
